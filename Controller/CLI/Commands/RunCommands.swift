package import ArgumentParser
import FoundationEssentials
import Glibc

package struct RunCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Start a run of a pipeline.",
        discussion: """
            With --follow, steps and logs are shown until the run ends; the exit code is 1 unless it succeeded. An interrupt ends the \
            showing, not the run.

            Examples:
              ansflow run quickstart --follow
              ansflow run deploy --ref v1.2.0 --input target=staging --input dry_run=true
              ansflow run app --tag v1.2.0 -i level=release --follow
              ansflow run app --commit 4f0c1d2 --priority 10 --json
            """)

    @OptionGroup package var connection: ConnectionOptions
    @Argument(help: "Name or id of the pipeline.")
    package var pipeline: String
    @Option(
        name: [.long, .customShort("i")],
        help: "A value for one of the pipeline's inputs, as NAME=VALUE. May be repeated.")
    package var input: [String] = []
    @Option(name: .long, help: "Branch or tag to check out (default: the pipeline's).")
    package var ref: String?
    @Option(name: .long, help: "Branch to check out.")
    package var branch: String?
    @Option(name: .long, help: "Tag to check out.")
    package var tag: String?
    @Option(name: .long, help: "Commit to check out.")
    package var commit: String?
    @Option(name: .long, help: "Place in the queue: higher is earlier.")
    package var priority: Int?
    @Flag(name: .long, help: "Give it no secrets, and let it wait for a maintainer's approval.")
    package var untrusted = false
    @Flag(name: [.long, .customShort("F")], help: "Show the run until it ends.")
    package var follow = false

    package init() {}

    package func validate() throws {
        try InputText.check(input)
        guard [ref, branch, tag].count(where: { $0 != nil }) < 2 else {
            throw ValidationError("give only one of --ref, --branch and --tag")
        }
    }

    package func run() async throws {
        var body: [String: JSONValue] = [:]
        if !input.isEmpty { body["inputs"] = .object(InputText.values(input)) }
        if let ref { body["ref"] = .string(ref) }
        if let branch { body["branch"] = .string(branch) }
        if let tag { body["tag"] = .string(tag) }
        if untrusted { body["untrusted"] = .bool(true) }
        if let commit { body["commit"] = .string(commit) }
        if let priority { body["priority"] = .int(Int64(priority)) }
        let request = JSONValue.object(body)
        try await connection.withClient { client in
            let found = try await Lookup.pipeline(pipeline, client)
            let answer = try await client.post(
                "/api/v1/pipelines/\(found.id)/runs", request, idempotencyKey: UUID().uuidString,
                thing: "Pipeline \(pipeline)")
            let run = try answer.decode(RunModel.self)
            if !follow {
                if connection.json { return ConnectionOptions.printJSON(answer) }
                Terminal.print("run \(run.id) of \(found.name) started")
                Terminal.note("Watch it with: ansflow show \(run.id) --follow")
                return
            }
            try await Following.follow(run: run.id, client: client, json: connection.json)
        }
    }
}

/// Showing a run until it ends.
package enum Following {
    /// Throws exit code 1 where the run did not succeed.
    package static func follow(run: Int64, client: APIClient, json: Bool) async throws {
        let style = Style()
        if !json { Terminal.print(style.paint("run \(run)", .bold) + " " + client.endpoint.url) }
        if Terminal.isTerminal { noteInterrupt() }
        var follower = RunFollower(
            client: client, run: run, selection: LogSelection(), printer: FollowPrinter(mode: json ? .quiet : .run))
        let end = try await follower.follow()
        if json {
            ConnectionOptions.printJSON(try await client.get("/api/v1/pipeline-runs/\(run)", thing: "Run \(run)"))
        } else {
            Terminal.print(RunText(style: style).summary(end, url: client.endpoint.url))
        }
        try check(end)
    }

    package static func check(_ run: RunModel) throws {
        let result = run.result ?? run.status
        if result != "success" && result != "warning" { throw ExitCode(ClientFailure.Kind.negative.rawValue) }
    }

    /// An interrupt ends the client only; say so.
    package static func noteInterrupt() {
        signal(SIGINT) { _ in
            let text: StaticString =
                "\nThe run goes on. `ansflow show RUN --follow` shows it again, `ansflow cancel RUN` ends it.\n"
            _ = Glibc.write(2, text.utf8Start, text.utf8CodeUnitCount)
            _exit(130)
        }
    }
}

package struct RunsCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "runs",
        abstract: "List runs, newest first.",
        discussion: """
            Examples:
              ansflow runs
              ansflow runs --pipeline quickstart --status failed
              ansflow runs --project widgets
              ansflow runs --branch main --since 2026-01-01T00:00:00Z --json
            """)

    @OptionGroup package var connection: ConnectionOptions
    @OptionGroup package var paging: Paging
    @Option(name: .long, help: "Only runs of this project (name or id).")
    package var project: String?
    @Option(name: .long, help: "Only runs of this pipeline (name or id).")
    package var pipeline: String?
    @Option(
        name: .long,
        help: "Only with this status: pending, blocked, running, success, warning, failed, cancelled, skipped.")
    package var status: String?
    @Option(name: .long, help: "Only of this branch.")
    package var branch: String?
    @Option(name: .long, help: "Only started by this event.")
    package var event: String?
    @Option(name: .long, help: "Only begun by whoever has this name.")
    package var actor: String?
    @Option(name: .long, help: "Only created at or after this time (RFC 3339).")
    package var since: String?
    @Option(name: .long, help: "Only created before this time (RFC 3339).")
    package var until: String?
    @Option(
        name: [.customShort("q"), .customLong("query")], help: "Part of the pipeline's name, the branch or the commit.")
    package var text: String?

    package init() {}

    package func run() async throws {
        try await connection.withClient { client in
            var query = paging.query + (try await Lookup.projectQuery(project, client))
            if let pipeline {
                query.append(("pipeline_id", String(try await Lookup.pipeline(pipeline, client).id)))
            }
            let filters = [
                ("status", status), ("branch", branch), ("event", event), ("actor", actor), ("since", since),
                ("until", until), ("q", text),
            ]
            for (name, value) in filters {
                if let value { query.append((name, value)) }
            }
            let answer = try await client.get("/api/v1/pipeline-runs", query: query)
            if connection.json { return ConnectionOptions.printJSON(answer) }
            let listing = try answer.decode(Listing<RunModel>.self)
            let style = Style()
            var table = Table(["RUN", "PIPELINE", "STATUS", "REF", "CREATED", "DURATION"])
            for run in listing.items {
                table.add([
                    String(run.id), (run.pipelineName ?? "") + (run.number.map { " #\($0)" } ?? ""),
                    Self.state(of: run), run.ref ?? "", Durations.short(run.createdAt),
                    Durations.between(run.startedAt, run.finishedAt),
                ])
            }
            Terminal.print(table.text { $0 == 2 ? style.status($1) : $1 })
            paging.note(shown: listing.items.count, total: listing.total)
        }
    }

    private static func state(of run: RunModel) -> String {
        if run.progress?.awaitsApproval == true { return "approval" }
        return run.result ?? run.status
    }
}

package struct ShowCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show a run: its jobs and steps, how they ended and why, and what waits for what.",
        discussion: """
            With --follow, it is shown like `run --follow` from its first line on until it ends; the exit code is 1 unless it succeeded.

            Examples:
              ansflow show 7
              ansflow show 7 --follow
              ansflow show 7 --json
            """)

    @OptionGroup package var connection: ConnectionOptions
    @Argument(help: "Number of the run.")
    package var run: Int64
    @Flag(name: [.long, .customShort("F")], help: "Show steps and logs until it ends.")
    package var follow = false

    package init() {}

    package func run() async throws {
        try await connection.withClient { client in
            if follow { return try await Following.follow(run: run, client: client, json: connection.json) }
            let answer = try await client.get("/api/v1/pipeline-runs/\(run)", thing: "Run \(run)")
            if connection.json { return ConnectionOptions.printJSON(answer) }
            Terminal.print(RunText().details(try answer.decode(RunModel.self), url: client.endpoint.url))
        }
    }
}

package struct CancelCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Cancel a run.",
        discussion: """
            Running steps get TERM, after their grace time KILL; then the steps of `finally` run. A second cancel with --skip-finally ends \
            those too. With --force, attempts on agents that do not answer end as lost; they are stopped when the agent comes back.

            Examples:
              ansflow cancel 7
              ansflow cancel 7 --reason "wrong branch"
              ansflow cancel 7 --skip-finally
              ansflow cancel 7 --force
            """)

    @OptionGroup package var connection: ConnectionOptions
    @Argument(help: "Number of the run.")
    package var run: Int64
    @Option(name: .long, help: "Why; kept with the run.")
    package var reason: String?
    @Flag(name: .long, help: "Run no clean-up: neither what is to come nor what runs.")
    package var skipFinally = false
    @Flag(name: .long, help: "End attempts on agents that do not answer as lost.")
    package var force = false

    package init() {}

    package func run() async throws {
        var body: [String: JSONValue] = [:]
        if let reason { body["reason"] = .string(reason) }
        if force { body["force"] = .bool(true) }
        if skipFinally { body["skip_finally"] = .bool(true) }
        let request = JSONValue.object(body)
        try await connection.withClient { client in
            let answer = try await client.post(
                "/api/v1/pipeline-runs/\(run)/cancel", request, thing: "Run \(run)")
            if connection.json { return ConnectionOptions.printJSON(answer) }
            let result = try answer.decode(RunModel.self)
            let word = Style().status(result.result ?? result.phase ?? result.status)
            let hadEnded = result.isFinished && result.result != "cancelled"
            Terminal.print("run \(run): \(word)\(hadEnded ? " (it had ended before; nothing was cancelled)" : "")")
        }
    }
}
