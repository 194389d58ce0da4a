import AnsFlowProtocol
import Glibc

/// What both built-in steps about artifacts share.
enum ArtifactStep {
    static let notAStep = ArtifactStepFailure("This command is a step's: the agent runs it.")

    /// Reads what the agent gave by the environment, and turns an error into the last line of the log.
    ///
    /// - Returns: The process's exit code.
    static func run(
        _ name: String, _ host: [String: String],
        _ body: (StepSpec, _ data: String, AttemptID, @escaping @Sendable (String) -> Void) async throws -> Void
    ) async -> Int32 {
        signal(SIGPIPE, SIG_IGN)
        do {
            guard let text = host[StepCommand.artifactsVariable], let data = host[StepCommand.directoryVariable],
                let attempt = host[StepCommand.attemptVariable].flatMap({ Int64($0) }),
                let spec = try? WireCodec.decodeSpec(Array(text.utf8))
            else { throw notAStep }
            try await body(spec, data, AttemptID(attempt)) { _ = Files.writeAll(1, Array("\($0)\n".utf8)) }
            return 0
        } catch {
            _ = Files.writeAll(2, Array("\(name): \(error)\n".utf8))
            return 1
        }
    }
}

enum Digests {
    private static let digits = Array("0123456789abcdef".utf8)

    static func hex(_ bytes: some Sequence<UInt8>) -> String {
        String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
