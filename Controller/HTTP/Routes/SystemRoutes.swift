import ControllerCore
import ControllerRealtime
import HTTPTypes

/// What the service says of itself.
struct SystemRoutes {
    let services: HTTPServices
    let configuration: HTTPConfiguration
    let shared: SharedParts

    static let service = "ansflow-controller"

    var routes: [Route] {
        var all = interface
        // Browsers come here too.
        all[0].isPage = true
        return all
    }

    private var interface: [Route] {
        [
            Route(
                .get, "/", .public, "root", "What this is; for browsers the dashboard",
                describes: Description(
                    .system, answers: [.ok(.component(Schemas.service)), .content("text/html")]), handler: root),
            Route(
                .get, "/api/v1/status", .public, "status", "Whether the service is well",
                describes: Description(.system, answers: [.ok(.component(Schemas.health))]), handler: status),
            Route(
                .get, "/health/live", .public, "live", "Whether the process answers",
                describes: Description(
                    .system, "It never asks the database.", answers: [.ok(.component(Schemas.alive))])
            ) { _ in
                Reply.json { json in json.object { $0.field("status", "alive") } }
            },
            Route(
                .get, "/health/ready", .public, "ready", "Whether work can be taken",
                describes: Description(
                    .system,
                    answers: [
                        .ok(.component(Schemas.readiness)),
                        .json(503, .component(Schemas.readiness), "No work can be taken; `checks` says why"),
                    ]), handler: ready),
            Route(
                .get, "/metrics", .read, "metrics", "Figures in Prometheus' text form",
                describes: Description(.system, answers: [.content("text/plain", example: "ansflow_runs_active 2\n")]),
                handler: metrics),
        ]
    }

    @Sendable private func root(_ call: Call) async throws -> Reply {
        if call.headers[.accept]?.contains("text/html") == true {
            let pages = PageRoutes(
                services: services, configuration: configuration, shell: Routes.shell(configuration),
                inner: shared.inner)
            return try await pages.dashboard(call)
        }
        var reply = Reply.json { json in
            json.object { json in
                json.field("service", Self.service)
                json.field("version", configuration.version)
                json.field("status", "running")
                json.field("environment", configuration.environment)
            }
        }
        reply.headers[.vary] = "Cookie, Accept"
        return reply
    }

    @Sendable private func status(_ call: Call) async throws -> Reply {
        let halted = await services.commands.statistics().halted != nil
        return .json { json in
            json.object { json in
                json.field("status", halted ? "degraded" : "healthy")
                json.field("service", Self.service)
                json.field("version", configuration.version)
            }
        }
    }

    @Sendable private func ready(_ call: Call) async throws -> Reply {
        var checks: [(name: String, isGood: Bool, detail: String)] = []
        do {
            _ = try await services.queries.lastEventID()
            checks.append(("database", true, "The database answers."))
        } catch {
            checks.append(("database", false, "The database does not answer."))
        }
        // Why is for the log and for those who may read: the text may name paths.
        let halted = await services.commands.statistics().halted != nil
        checks.append(
            ("engine", !halted, halted ? "Nothing can be made durable now." : "Changes are made durable."))
        let floor = services.diskFloor() != nil
        checks.append(("disk", !floor, floor ? "The disk is too full for new runs." : "There is room on the disk."))
        let isReady = checks.allSatisfy(\.isGood)
        var reply = Reply.json(isReady ? .ok : .serviceUnavailable) { json in
            json.object { json in
                json.field("status", isReady ? "ready" : "not_ready")
                json.name("checks")
                json.array(checks) { json, check in
                    json.object { json in
                        json.field("name", check.name)
                        json.field("ok", check.isGood)
                        json.field("detail", check.detail)
                    }
                }
            }
        }
        if !isReady { reply.headers[.retryAfter] = "5" }
        return reply
    }

    @Sendable private func metrics(_ call: Call) async throws -> Reply {
        let engine = await services.commands.statistics()
        let hub = services.hub.statistics
        var text = PrometheusText()
        text.gauge("ansflow_runs_active", "Runs that have not ended.", engine.activeRuns)
        text.gauge("ansflow_jobs_queued", "Jobs that wait for an agent.", engine.queuedJobs)
        text.family("ansflow_queue_wait_seconds", "gauge", "How long the job that has waited longest has waited.")
        text.sample("ansflow_queue_wait_seconds", [], "\(Double(engine.longestWaitMs) / 1000)")
        text.gauge("ansflow_attempts_running", "Attempts that run now.", engine.runningAttempts)
        text.gauge("ansflow_agents_connected", "Agents that are connected.", engine.connectedAgents)
        text.gauge("ansflow_agents_enrolled", "Agents that are enrolled.", engine.enrolledAgents)
        text.gauge("ansflow_agents_alarmed", "Agents with an alarm: see `ansflow agents`.", engine.alarmedAgents)
        text.gauge("ansflow_commits_total", "Commits of the engine.", engine.commits, type: "counter")
        text.gauge("ansflow_halted", "1 while nothing can be made durable.", engine.halted == nil ? 0 : 1)
        text.gauge("ansflow_viewers", "Open WebSockets of viewers.", hub.viewers)
        text.gauge("ansflow_events_published_total", "Events handed to viewers.", hub.published, type: "counter")
        text.gauge("ansflow_log_batches_total", "Log batches for viewers.", hub.logBatches, type: "counter")
        text.gauge("ansflow_viewers_lagged_total", "Times a viewer was too slow.", hub.lagged, type: "counter")
        caches(&text)
        text.family("ansflow_rate_limited_total", "counter", "Requests refused with 429, by the limit that was met.")
        let refused = shared.limits.refused
        for kind in RateLimits.Kind.allCases {
            text.sample("ansflow_rate_limited_total", [("limit", kind.rawValue)], "\(refused[kind] ?? 0)")
        }
        shared.metrics.write(to: &text)
        return .text(text.text + (await services.extraMetrics()), "text/plain; version=0.0.4; charset=utf-8")
    }

    private func caches(_ text: inout PrometheusText) {
        let all = (shared.caches.all + services.caches).map(\.statistics)
        func family(_ name: String, _ type: String, _ help: String, _ value: (CacheStatistics) -> String) {
            text.family(name, type, help)
            for cache in all { text.sample(name, [("cache", cache.name)], value(cache)) }
        }
        family("ansflow_cache_hits_total", "counter", "Answers and facts that a cache had.") { "\($0.hits)" }
        family("ansflow_cache_misses_total", "counter", "Those that had to be made.") { "\($0.misses)" }
        family("ansflow_cache_evictions_total", "counter", "Those that went to make room.") { "\($0.evictions)" }
        family("ansflow_cache_bytes", "gauge", "About how large a cache is.") { "\($0.bytes)" }
        family("ansflow_cache_entries", "gauge", "How many values a cache holds.") { "\($0.entries)" }
    }
}
