import ControllerCore
import Glibc
import Subprocess

/// One git process: arguments as an array, a clean environment, no terminal, no input, a limit of time and of output.
struct GitProcess: Sendable {
    let environment: [String: String]
    /// Options before the command.
    let options: [String]

    struct Outcome: Sendable {
        var succeeded: Bool
        var output: [UInt8]
        /// Git's words, as they came.
        var errors: String

        var text: String { String(decoding: output, as: UTF8.self) }
    }

    enum Failure: Error {
        case timeout
        case tooMuchOutput
        /// Git itself could not be run.
        case notRun(String)
        case stopped
    }

    /// Words of git that are kept; a host can make it say megabytes.
    private static let errorBytesMax = 256 * 1024

    /// - Parameter watch: runs beside git and ends it by returning.
    func run(
        _ arguments: [String], limit: Duration, outputMax: Int = 1 << 20,
        watch: (@Sendable () async -> Void)? = nil
    ) async throws(Failure) -> Outcome {
        let ended: Ended
        do {
            ended = try await withThrowingTaskGroup(of: Ended.self) { group in
                group.addTask { try await .ended(execute(arguments, outputMax)) }
                group.addTask {
                    try await Task.sleep(for: limit)
                    return .timeout
                }
                if let watch {
                    group.addTask {
                        await watch()
                        try Task.checkCancellation()
                        return .stopped
                    }
                }
                // What loses is cancelled; that ends git and all that it started, and is waited for here.
                defer { group.cancelAll() }
                return try await group.next() ?? .stopped
            }
        } catch let error as SubprocessError {
            throw error.code == .outputLimitExceeded ? .tooMuchOutput : .notRun("\(error)")
        } catch is CancellationError {
            throw .stopped
        } catch {
            throw .notRun("\(error)")
        }
        switch ended {
        case .ended(let outcome): return outcome
        case .timeout: throw .timeout
        case .stopped: throw .stopped
        }
    }

    private enum Ended: Sendable {
        case ended(Outcome)
        case timeout, stopped
    }

    private func execute(_ arguments: [String], _ outputMax: Int) async throws -> Outcome {
        var keyed: [Environment.Key: String] = [:]
        for (name, value) in environment { if let key = Environment.Key(rawValue: name) { keyed[key] = value } }
        var platform = PlatformOptions()
        // Its own session: git's helpers and ssh are ended with it, and none of them finds a terminal to ask at.
        platform.createSession = true
        platform.teardownSequence = [
            .send(signal: .terminate, toProcessGroup: true, allowedDurationToNextStep: .seconds(1))
        ]
        let result = try await Subprocess.run(
            .name("git"), arguments: Arguments(options + arguments), environment: .custom(keyed),
            platformOptions: platform, input: .none, output: .bytes(limit: outputMax),
            error: .string(limit: Self.errorBytesMax))
        return Outcome(
            succeeded: result.terminationStatus.isSuccess, output: result.standardOutput,
            errors: result.standardError)
    }
}
