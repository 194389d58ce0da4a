import ControllerCore
import Foundation
import Logging
import Testing

@testable import ControllerStore

/// Reading `synchronous` back is not enough: here the kernel's view of the syncs is counted, in a child of its own, so
/// that no other test is slowed down.
@Suite struct DurabilityTests {
    static let strace = ["/usr/bin/strace", "/bin/strace"].first { FileManager.default.isExecutableFile(atPath: $0) }
    static let directory = ProcessInfo.processInfo.environment["ANSFLOW_TRACED_STORE"]
    static let commits = 25

    @Test(.enabled(if: strace != nil, "strace is not installed"), .timeLimit(.minutes(2)))
    func everyCommitSyncsTheLog() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let trace = scratch.path + "/trace"
        let child = Process()
        child.executableURL = URL(fileURLWithPath: try #require(Self.strace))
        child.arguments = [
            "-f", "-y", "-e", "trace=fdatasync,fsync", "-o", trace, "/proc/\(getpid())/exe", "--testing-library",
            "swift-testing", "--filter", "DurabilityTests/commitsForTheTrace",
        ]
        child.environment = ProcessInfo.processInfo.environment.merging(
            ["ANSFLOW_TRACED_STORE": scratch.path + "/data"]) { $1 }
        child.standardOutput = FileHandle.nullDevice
        child.standardError = FileHandle.nullDevice
        let status = try await Self.run(child)
        let log = (try? String(contentsOfFile: trace, encoding: .utf8)) ?? ""
        if log.isEmpty { try Test.cancel("strace may not trace here (status \(status))") }
        #expect(status == 0)
        let calls = log.split(separator: "\n").filter { $0.contains(scratch.path + "/data/ansflow.db-wal>") }
        #expect(calls.count >= Self.commits)
    }

    /// The child's part.
    @Test(.enabled(if: directory != nil, "runs under strace only"))
    func commitsForTheTrace() async throws {
        let database = try Database.open(directory: try #require(Self.directory), logger: Logger(label: "test"))
        for clock in 1...Self.commits { try await database.commit(batch(clock: Int64(clock))) }
    }

    private static func run(_ child: Process) async throws -> Int32 {
        try await withCheckedThrowingContinuation { continuation in
            child.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try child.run() } catch {
                child.terminationHandler = nil
                continuation.resume(throwing: error)
            }
        }
    }
}
