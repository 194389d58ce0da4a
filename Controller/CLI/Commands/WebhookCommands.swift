package import ArgumentParser

package struct WebhookCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "webhook",
        abstract: "See what came by webhooks, what it started, and why not; judge it once more.",
        discussion: """
            Examples:
              ansflow webhook list
              ansflow webhook list --hook 3 --state failed
              ansflow webhook show 41
              ansflow webhook replay 41
            """,
        subcommands: [List.self, Show.self, Replay.self])

    package init() {}
}

private struct EventModel: Decodable, Sendable {
    struct Verdict: Decodable, Sendable {
        var pipelineName: String
        var result: String
        var message: String?
        var runId: Int64?
    }

    var id: Int64
    var hookName: String?
    var source: String
    var event: String
    var state: String
    var message: String?
    var proof: String?
    var delivery: String?
    var receivedAt: String?
    var retryAt: String?
    var duplicates: Int?
    var pipelines: [Verdict]?
    var runs: [Int64]?
    var headers: [String: String]?
    var body: String?
}

extension WebhookCommand {
    package struct List: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List what came, newest first.",
            discussion: """
                Examples:
                  ansflow webhook list
                  ansflow webhook list --source github --event push
                  ansflow webhook list --state failed --json
                """)

        @OptionGroup package var connection: ConnectionOptions
        @OptionGroup package var paging: Paging
        @Option(name: .long, help: "Only of the hook with this id.")
        package var hook: Int64?
        @Option(name: .long, help: "Only of this kind of sender.")
        package var source: String?
        @Option(name: .long, help: "Only this event, in the sender's word.")
        package var event: String?
        @Option(name: .long, help: "received, judging, judged or failed.")
        package var state: String?

        package init() {}

        package func run() async throws {
            var query = paging.query
            if let hook { query.append(("hook_id", String(hook))) }
            if let source { query.append(("source", source)) }
            if let event { query.append(("event", event)) }
            if let state { query.append(("state", state)) }
            let asked = query
            try await connection.withClient { client in
                let answer = try await client.get("/api/v1/webhook-events", query: asked)
                if connection.json { return ConnectionOptions.printJSON(answer) }
                let listing = try answer.decode(Listing<EventModel>.self)
                var table = Table(["ID", "CAME", "HOOK", "EVENT", "STATE", "RUNS", "WHAT"])
                for event in listing.items {
                    table.add([
                        String(event.id), Durations.short(event.receivedAt), event.hookName ?? "", event.event,
                        event.state, (event.runs ?? []).map(String.init).joined(separator: " "), event.message ?? "",
                    ])
                }
                Terminal.print(table.text())
                paging.note(shown: listing.items.count, total: listing.total)
            }
        }
    }

    package struct Show: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show one event and what it did to each pipeline.",
            discussion: """
                Examples:
                  ansflow webhook show 41
                  ansflow webhook show 41 --body
                """)

        @OptionGroup package var connection: ConnectionOptions
        @Argument(help: "The event's id.")
        package var event: Int64
        @Flag(name: .long, help: "Show its headers and its body too.")
        package var body = false

        package init() {}

        package func run() async throws {
            try await connection.withClient { client in
                let answer = try await client.get("/api/v1/webhook-events/\(event)", thing: "Event \(event)")
                if connection.json { return ConnectionOptions.printJSON(answer) }
                let event = try answer.decode(EventModel.self)
                func say(_ name: String, _ text: String?) {
                    guard let text, !text.isEmpty else { return }
                    Terminal.print("\(name): \(SafeText.line(text, colours: false))")
                }
                say("event", "\(event.id) (\(event.source), \(event.event))")
                say("hook", event.hookName)
                say("came", event.receivedAt)
                say("sender's id", event.delivery)
                say("shown by", event.proof)
                say("state", event.state + (event.retryAt.map { ", again at \($0)" } ?? ""))
                say("what", event.message)
                if let copies = event.duplicates, copies > 0 { say("copies", "\(copies), not judged") }
                for verdict in event.pipelines ?? [] {
                    let run = verdict.runId.map { "run \($0)" } ?? verdict.result
                    say("  \(verdict.pipelineName)", "\(run): \(verdict.message ?? "")")
                }
                guard body else { return }
                for (name, value) in (event.headers ?? [:]).sorted(by: { $0.key < $1.key }) { say("< \(name)", value) }
                Terminal.print(event.body.map { SafeText.line($0, colours: false) } ?? "The body is no longer kept.")
            }
        }
    }

    package struct Replay: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "replay",
            abstract: "Judge an event once more, as a new one, with the pipelines as they are now.",
            discussion: """
                Examples:
                  ansflow webhook replay 41
                """)

        @OptionGroup package var connection: ConnectionOptions
        @Argument(help: "The event's id.")
        package var event: Int64

        package init() {}

        package func run() async throws {
            try await connection.withClient { client in
                let answer = try await client.post(
                    "/api/v1/webhook-events/\(event)/replay", .object([:]), thing: "Event \(event)")
                if connection.json { return ConnectionOptions.printJSON(answer) }
                let id = try answer.decode(EventReference.self).eventId
                Terminal.print("event \(id): stored; see: ansflow webhook show \(id)")
            }
        }
    }
}
