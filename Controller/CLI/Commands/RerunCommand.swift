package import ArgumentParser
import FoundationEssentials

/// `ansflow rerun`: runs again what ran before.
package struct RerunCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "rerun",
        abstract: "Run a finished run again: all of it, what failed, or from one job on.",
        discussion: """
            The new run uses the plan that was stored with the old one: the same definition, inputs and commit. Jobs that need not run \
            again keep their results, outputs and artifacts. With --from JOB/STEP the step's whole job runs, since its steps share a \
            workspace. --latest is another act: it compiles the pipeline's newest definition for the same ref, commit and inputs.

            Examples:
              ansflow rerun 7 --failed --follow
              ansflow rerun 7 --from deploy
              ansflow rerun 7 --from 'test[os=linux,mode=release]/report'
              ansflow rerun 7 --latest --json
            """)

    @OptionGroup package var connection: ConnectionOptions
    @Argument(help: "Number of the run.")
    package var run: Int64
    @Flag(name: .long, help: "Only what did not end well, and what needs it.")
    package var failed = false
    @Option(name: .long, help: "Only this job, and what needs it: JOB or JOB/STEP.")
    package var from: String?
    @Flag(name: .long, help: "With the pipeline's newest definition instead of the stored plan.")
    package var latest = false
    @Flag(name: [.long, .customShort("F")], help: "Show the new run until it ends.")
    package var follow = false

    package init() {}

    package func validate() throws {
        let given = [failed, from != nil, latest].count { $0 }
        guard given < 2 else { throw ValidationError("give only one of --failed, --from and --latest") }
        if let from, from.isEmpty || from.hasPrefix("/") || from.hasSuffix("/") {
            throw ValidationError("--from takes JOB or JOB/STEP, not \"\(from)\"")
        }
    }

    package func run() async throws {
        let body = JSONValue.object(self.body)
        try await connection.withClient { client in
            let answer = try await client.post(
                "/api/v1/pipeline-runs/\(run)/rerun", body, idempotencyKey: UUID().uuidString, thing: "Run \(run)")
            let new = try answer.decode(RunModel.self)
            if follow { return try await Following.follow(run: new.id, client: client, json: connection.json) }
            if connection.json { return ConnectionOptions.printJSON(answer) }
            Terminal.print("run \(new.id) repeats run \(run)")
            Terminal.note("Watch it with: ansflow show \(new.id) --follow")
        }
    }

    package var body: [String: JSONValue] {
        if latest { return ["latest": .bool(true)] }
        if failed { return ["mode": .string("failed")] }
        guard let from else { return ["mode": .string("all")] }
        let (job, step) = Self.place(from)
        var body: [String: JSONValue] = ["mode": .string("from"), "job": .string(job)]
        if let step { body["step"] = .string(step) }
        return body
    }

    /// The job's id and, behind the slash, the step's. Values of a matrix stand in brackets and may hold slashes.
    package static func place(_ text: String) -> (job: String, step: String?) {
        let start = text.lastIndex(of: "]") ?? text.startIndex
        guard let slash = text[start...].firstIndex(of: "/") else { return (text, nil) }
        return (String(text[..<slash]), String(text[text.index(after: slash)...]))
    }
}
