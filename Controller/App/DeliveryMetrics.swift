import ControllerCore
import ControllerHTTP
import ControllerOutgoing
import ControllerStore
import ControllerWebhooks

/// Lines of `/metrics` about what comes by webhooks and what goes to other servers.
struct DeliveryMetrics: Sendable {
    let database: Database
    let intake: WebhookIntake
    let judge: WebhookWorker
    let outbox: OutboxWorker

    func text() async -> String {
        var text = PrometheusText()
        let now = Clocks.wall()
        await webhooks(&text, now)
        await outgoing(&text, now)
        return text.text
    }

    private func webhooks(_ text: inout PrometheusText, _ now: Int64) async {
        let counts = await intake.counts
        text.family(
            "ansflow_webhook_deliveries_total", "counter", "Webhooks that came, by source and what they were answered.")
        for source in WebhookSource.allCases {
            for answer in WebhookIntake.Answer.allCases {
                text.sample(
                    "ansflow_webhook_deliveries_total", [("source", source.rawValue), ("answer", answer.rawValue)],
                    "\(counts[.init(source: source, answer: answer)] ?? 0)")
            }
        }
        let judged = await judge.counts
        text.family("ansflow_webhook_judged_total", "counter", "Webhooks that were judged, by what came of them.")
        for end in WebhookWorker.End.allCases {
            text.sample("ansflow_webhook_judged_total", [("end", end.rawValue)], "\(judged[end] ?? 0)")
        }
        let backlog = (try? await database.waitingDeliveries()) ?? Backlog()
        text.gauge("ansflow_webhook_pending", "Webhooks that wait to be judged.", backlog.count)
        text.family("ansflow_webhook_oldest_seconds", "gauge", "How long the oldest of them has waited.")
        text.sample("ansflow_webhook_oldest_seconds", [], Self.seconds(backlog, now))
    }

    private func outgoing(_ text: inout PrometheusText, _ now: Int64) async {
        let waiting = try? await database.waitingOutbox()
        let backlogs = [("status", waiting?.statuses ?? Backlog()), ("notice", waiting?.notices ?? Backlog())]
        text.family("ansflow_outbox_pending", "gauge", "Statuses and notices that wait to be sent.")
        for (kind, backlog) in backlogs {
            text.sample("ansflow_outbox_pending", [("kind", kind)], "\(backlog.count)")
        }
        text.family("ansflow_outbox_oldest_seconds", "gauge", "How long the oldest of them has waited.")
        for (kind, backlog) in backlogs {
            text.sample("ansflow_outbox_oldest_seconds", [("kind", kind)], Self.seconds(backlog, now))
        }
        let counts = await outbox.counts
        text.family("ansflow_outbox_tries_total", "counter", "Tries to send, by kind and what came of them.")
        for kind in OutboxWorker.Kind.allCases {
            for end in OutboxWorker.End.allCases {
                text.sample(
                    "ansflow_outbox_tries_total", [("kind", kind.rawValue), ("end", end.rawValue)],
                    "\(counts[.init(kind: kind, end: end)] ?? 0)")
            }
        }
    }

    private static func seconds(_ backlog: Backlog, _ now: Int64) -> String {
        "\(Double(backlog.ageMs(now: now)) / 1000)"
    }
}

extension ControllerAssembly {
    func measureDeliveries(
        _ services: inout HTTPServices, _ database: Database, _ webhooks: WebhookService, _ outgoing: Outgoing
    ) {
        let metrics = DeliveryMetrics(
            database: database, intake: webhooks.intake, judge: webhooks.worker, outbox: outgoing.worker)
        let others = services.extraMetrics
        services.extraMetrics = { await others() + (await metrics.text()) }
    }
}
