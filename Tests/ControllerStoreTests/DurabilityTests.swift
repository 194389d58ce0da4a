import ControllerCore
import Foundation
import Testing

@testable import ControllerStore

/// Reading `synchronous` back is not enough: here the kernel's view of the syncs is counted.
@Suite struct DurabilityTests {
    static let strace = ["/usr/bin/strace", "/bin/strace"].first { FileManager.default.isExecutableFile(atPath: $0) }

    @Test(.enabled(if: strace != nil, "strace is not installed"), .timeLimit(.minutes(2)))
    func everyCommitSyncsTheLog() async throws {
        let strace = try #require(Self.strace)
        let scratch = Scratch()
        let database = try scratch.open()
        try await database.commit(batch())
        let trace = scratch.path + "/trace"
        let child = Process()
        child.executableURL = URL(fileURLWithPath: strace)
        child.arguments = ["-f", "-y", "-e", "trace=fdatasync,fsync", "-o", trace, "-p", "\(getpid())"]
        let said = Pipe()
        child.standardError = said
        try child.run()
        // The first line says either that it is attached or why it can't be.
        let line = String(decoding: said.fileHandleForReading.availableData, as: UTF8.self)
        guard line.contains("attached") else {
            child.waitUntilExit()
            try Test.cancel("strace may not attach here: \(line)")
        }
        let commits = 25
        for clock in 0..<commits { try await database.commit(batch(clock: Int64(clock))) }
        child.interrupt()
        child.waitUntilExit()
        let calls = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n")
            .filter { $0.contains(scratch.path + "/ansflow.db-wal>") }
        #expect(calls.count >= commits)
    }
}
