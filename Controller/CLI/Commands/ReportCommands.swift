package import ArgumentParser
import FoundationEssentials
import Glibc

package struct ReportCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Show runs that another system executes: start one, send its output, say how it ended.",
        discussion: """
            Examples:
              run=$(ansflow report start nightly --by jenkins --branch main)
              make test 2>&1 | ansflow report log $run
              ansflow report end $run success
            """,
        subcommands: [ReportStartCommand.self, ReportLogCommand.self, ReportEndCommand.self])

    package init() {}
}

package struct ReportStartCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Start a run that another system executes, and print its id.",
        discussion: """
            Examples:
              ansflow report start nightly --by jenkins --branch main --commit 4f0c1d2
            """)

    @OptionGroup package var connection: ConnectionOptions
    @Argument(help: "Name or id of the pipeline.")
    package var pipeline: String
    @Option(name: .long, help: "The other system's name: letters, digits, `-`, `_` and `.`.")
    package var by: String
    @Option(name: .long, help: "Branch that it is of.")
    package var branch: String?
    @Option(name: .long, help: "Tag that it is of.")
    package var tag: String?
    @Option(name: .long, help: "Commit that it is of.")
    package var commit: String?

    package init() {}

    package func run() async throws {
        var body: [String: JSONValue] = ["reported_by": .string(by)]
        for (name, value) in [("branch", branch), ("tag", tag), ("commit", commit)] {
            if let value { body[name] = .string(value) }
        }
        let request = JSONValue.object(body)
        try await connection.withClient { client in
            let found = try await Lookup.pipeline(pipeline, client)
            let answer = try await client.post(
                "/api/v1/pipelines/\(found.id)/runs", request, idempotencyKey: UUID().uuidString,
                thing: "Pipeline \(pipeline)")
            if connection.json { return ConnectionOptions.printJSON(answer) }
            Terminal.print("\(try answer.decode(RunModel.self).id)")
        }
    }
}

package struct ReportLogCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "log", abstract: "Send standard input as output of a run, as it comes.",
        discussion: """
            What is no UTF-8 is replaced. It returns when all is durable at the controller.

            Examples:
              make test 2>&1 | tee test.log | ansflow report log 7
            """)

    /// Of one request.
    private static let chunkBytes = 128 * 1024
    /// How long a controller may be away.
    private static let patience = Duration.seconds(600)

    @OptionGroup package var connection: ConnectionOptions
    @Argument(help: "The run's id.")
    package var id: Int64

    package init() {}

    private struct Kept: Decodable { var bytes: Int64 }

    package func run() async throws {
        try await connection.withClient { client in
            var rest: [UInt8] = []
            var end = try await Self.send("", to: id, at: nil, client)
            var buffer = [UInt8](repeating: 0, count: Self.chunkBytes)
            while true {
                let count = read(0, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else {
                    throw ClientFailure(.negative, "Standard input can't be read: \(String(cString: strerror(errno))).")
                }
                rest += buffer.prefix(count)
                // A character may be cut in two; the rest of it comes with the next bytes.
                let whole = count == 0 ? rest.count : Self.whole(rest)
                if whole > 0 {
                    end = try await deliver(String(decoding: rest[..<whole], as: UTF8.self), at: end, client)
                    rest.removeFirst(whole)
                }
                if count == 0 { return }
            }
        }
    }

    /// A controller that is away for a while costs no line: with its offset, what is sent again is kept once.
    private func deliver(_ text: String, at offset: Int64, _ client: APIClient) async throws -> Int64 {
        let deadline = ContinuousClock.now + Self.patience
        while true {
            do {
                return try await Self.send(text, to: id, at: offset, client)
            } catch let failure as ClientFailure
                where [.unreachable, .serverFailed].contains(failure.kind) && ContinuousClock.now < deadline
            {
                try await Task.sleep(for: .seconds(1))
            }
        }
    }

    /// - Returns: how many bytes of the run's output are durable.
    private static func send(_ text: String, to run: Int64, at offset: Int64?, _ client: APIClient) async throws
        -> Int64
    {
        var body: [String: JSONValue] = ["text": .string(text)]
        if let offset { body["offset"] = .int(offset) }
        let answer = try await client.post("/api/v1/pipeline-runs/\(run)/logs", .object(body), thing: "Run \(run)")
        return try answer.decode(Kept.self).bytes
    }

    /// How many of the bytes are whole characters.
    static func whole(_ bytes: [UInt8]) -> Int {
        var start = bytes.count
        // Back to the last byte that begins a character, three at most.
        while start > 0, bytes.count - start < 4 {
            start -= 1
            let byte = bytes[start]
            if byte & 0xC0 == 0x80 { continue }
            let length = byte < 0x80 ? 1 : byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2
            return start + length <= bytes.count ? bytes.count : start
        }
        return bytes.count
    }
}

package struct ReportEndCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "end", abstract: "Say how a run of another system ended.",
        discussion: """
            Examples:
              ansflow report end 7 success
              ansflow report end 7 failed --exit-code 2 --message "Two tests failed."
            """)

    package enum Outcome: String, ExpressibleByArgument, CaseIterable, Sendable { case success, failed, cancelled }

    @OptionGroup package var connection: ConnectionOptions
    @Argument(help: "The run's id.")
    package var id: Int64
    @Argument(help: "success, failed or cancelled.")
    package var outcome: Outcome
    @Option(name: .long, help: "Exit code of what was run.")
    package var exitCode: Int64?
    @Option(name: .long, help: "A sentence for people.")
    package var message: String?

    package init() {}

    package func run() async throws {
        var body: [String: JSONValue] = ["status": .string(outcome.rawValue)]
        if let exitCode { body["exit_code"] = .int(exitCode) }
        if let message { body["message"] = .string(message) }
        let request = JSONValue.object(body)
        try await connection.withClient { client in
            let answer = try await client.post("/api/v1/pipeline-runs/\(id)/status", request, thing: "Run \(id)")
            if connection.json { return ConnectionOptions.printJSON(answer) }
            Terminal.print("run \(id) ended: \(outcome.rawValue)")
        }
    }
}
