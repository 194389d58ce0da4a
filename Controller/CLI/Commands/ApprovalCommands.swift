package import ArgumentParser

/// `ansflow approve`: says yes to what waits for it.
package struct ApproveCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "approve",
        abstract: "Say yes to a job, or an untrusted run, that waits for approval.",
        discussion: """
            Without JOB the one job that waits is meant. `ansflow show RUN` says what is asked, which inputs it takes and who may answer. \
            Who, when and why are kept.

            Examples:
              ansflow approve 7
              ansflow approve 7 deploy --reason "checked on staging" --input region=eu
              ansflow approve 7 deploy --json
            """)

    @OptionGroup package var connection: ConnectionOptions
    @Argument(help: "Number of the run.")
    package var run: Int64
    @Argument(help: "The job that waits (default: the only one).")
    package var job: String?
    @Option(name: .long, help: "Why; kept with the run.")
    package var reason: String?
    @Option(
        name: [.long, .customShort("i")],
        help: "A value for one of the approval's inputs, as NAME=VALUE. May be repeated.")
    package var input: [String] = []

    package init() {}

    package func validate() throws { try InputText.check(input) }

    package func run() async throws {
        var body: [String: JSONValue] = [:]
        if !input.isEmpty { body["inputs"] = .object(InputText.values(input)) }
        try await ApprovalAnswer.send("approve", run: run, job: job, reason: reason, body, connection)
    }
}

/// `ansflow decline`: says no.
package struct DeclineCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "decline",
        abstract: "Say no to a job, or an untrusted run, that waits for approval: it ends as cancelled.",
        discussion: """
            Examples:
              ansflow decline 7 --reason "not on a Friday"
              ansflow decline 7 deploy
            """)

    @OptionGroup package var connection: ConnectionOptions
    @Argument(help: "Number of the run.")
    package var run: Int64
    @Argument(help: "The job that waits (default: the only one).")
    package var job: String?
    @Option(name: .long, help: "Why; kept with the run.")
    package var reason: String?

    package init() {}

    package func run() async throws {
        try await ApprovalAnswer.send("decline", run: run, job: job, reason: reason, [:], connection)
    }
}

/// `ansflow approvals`: what waits for an answer, in all runs.
package struct ApprovalsCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "approvals",
        abstract: "List what waits for approval, the oldest run first.",
        discussion: """
            Examples:
              ansflow approvals
              ansflow approvals --json
            """)

    @OptionGroup package var connection: ConnectionOptions
    @OptionGroup package var paging: Paging

    package init() {}

    package func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.get("/api/v1/approvals", query: paging.query)
            if connection.json { return ConnectionOptions.printJSON(answer) }
            let listing = try answer.decode(Listing<ApprovalModel>.self)
            var table = Table(["RUN", "PIPELINE", "JOB", "ENVIRONMENT", "BY", "EXPIRES IN", "MESSAGE"])
            for item in listing.items {
                table.add([
                    item.runId.map(String.init) ?? "",
                    (item.pipelineName ?? "") + (item.runNumber.map { " #\($0)" } ?? ""), item.job ?? "(the run)",
                    item.environment ?? "", item.who, item.expiresInMs.map { Durations.text(ms: $0) } ?? "",
                    item.message ?? "",
                ])
            }
            Terminal.print(table.text())
            paging.note(shown: listing.items.count, total: listing.total)
        }
    }
}

/// Sends an answer and says what came of it.
private enum ApprovalAnswer {
    static func send(
        _ verb: String, run: Int64, job: String?, reason: String?, _ given: [String: JSONValue],
        _ connection: ConnectionOptions
    ) async throws {
        var body = given
        if let job { body["job"] = .string(job) }
        if let reason { body["reason"] = .string(reason) }
        let request = JSONValue.object(body)
        try await connection.withClient { client in
            let answer = try await client.post(
                "/api/v1/pipeline-runs/\(run)/\(verb)", request, thing: "Run \(run)")
            if connection.json { return ConnectionOptions.printJSON(answer) }
            let result = try answer.decode(ApprovalModel.self)
            let what = result.job.map { "job \(SafeText.line($0, colours: false)) of run \(run)" } ?? "run \(run)"
            Terminal.print("\(what): \(result.state ?? verb + "d")")
        }
    }
}

/// Values of inputs on the command line, as NAME=VALUE.
package enum InputText {
    package static func check(_ texts: [String]) throws {
        var names: Set<Substring> = []
        for text in texts {
            guard let name = text.split(separator: "=", omittingEmptySubsequences: false).first, text.contains("="),
                !name.isEmpty
            else { throw ValidationError("--input takes NAME=VALUE, not \"\(text)\"") }
            guard names.insert(name).inserted else { throw ValidationError("--input gives \"\(name)\" twice") }
        }
    }

    package static func values(_ texts: [String]) -> [String: JSONValue] {
        var values: [String: JSONValue] = [:]
        for text in texts {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            values[String(parts[0])] = .string(String(parts[1]))
        }
        return values
    }
}
