import AgentLink
import AnsFlowProtocol
import AnsFlowRecords
import AnsFlowTransport
import Foundation
import TestSupport
import Testing

/// Row 4 of the security list: an agent with a good certificate of its own that speaks of another's work.
@Suite struct HostileAgentTests {
    @Test func noAgentSpeaksForAnother() async throws {
        let log = NumberedLog(megabytes: 1, chunks: 2)
        try await Cluster.with { cluster in
            let run = try cluster.start(log.script(cluster.work), labels: ["name": "a1"])
            try log.release(0, cluster)
            try cluster.waitLines("tee", log.linesPerChunk)
            try cluster.waitPhase(run, "running")
            let before = Cluster.attempt(try cluster.show(run))
            let attempt = AttemptID(try #require(before["id"].int))
            let stored = try cluster.logBytes(run)
            let directory = cluster.root + "/liar"
            let enrolled = try ChildProcess.run(
                Binaries.agent,
                [
                    "enrol", "--controller", "https://127.0.0.1:\(cluster.controller.agentPort)", "--token",
                    try cluster.enrolmentToken(), "--data-dir", directory, "--name", "liar",
                ])
            try #require(enrolled.code == 0, "\(enrolled)")
            // Each lie on a connection of its own: one that closes it must not save the next.
            for lie in Self.lies(about: attempt, next: UInt64(stored)) {
                let heard = try Self.tell(directory, lie.message, knows: lie.knows ? attempt : nil)
                #expect(!heard.contains { if case .start = $0 { true } else { false } }, "\(lie.message)")
                let now = Cluster.attempt(try cluster.show(run))
                #expect(now["phase"].text == "running" && now["id"] == before["id"], "\(lie.message): \(now)")
            }
            #expect(try cluster.logBytes(run) <= stored + 4096, "nothing was added to the log")
            try log.releaseAll(cluster)
            let end = try cluster.finish(run, within: 60)
            try #require(end["status"].text == "success", "\(end)")
            #expect(Cluster.attempt(end)["exit_code"].int == 0)
            #expect(try cluster.differs(end, from: "tee") == nil)
        }
    }

    private static func lies(about attempt: AttemptID, next: UInt64) -> [(message: AgentMessage, knows: Bool)] {
        let record = LogRecord.encode(offset: next, time: 1, bytes: Array("a lie\n".utf8))
        let log = LogEnd(attempt: attempt, total: next, sha256: nil, dropped: 0)
        let all: [AgentMessage] = [
            .started(attempt), .declined(attempt, reason: "no"), .log(LogFrame(attempt: attempt, records: record)),
            .gap(attempt, offset: next, length: 1 << 20, reason: "a lie"), .eof(log),
            .finish(Finish(attempt: attempt, result: .success, cause: .exit, exitCode: 0, log: log)),
            .finish(
                Finish(attempt: attempt, result: .failed, cause: .exit, exitCode: 9, log: log, outputs: ["a": "b"])),
        ]
        return all.flatMap { [($0, false), ($0, true)] }
    }

    /// Says HELLO and the message, and gives what was answered within a moment.
    private static func tell(_ directory: String, _ message: AgentMessage, knows attempt: AttemptID?) throws
        -> [ControllerMessage]
    {
        let heard = Heard()
        let done = DispatchSemaphore(value: 0)
        Task {
            defer { done.signal() }
            _ = try? await AgentDialer(directory: directory).run { _, connection in
                let known = attempt.map { [Hello.Known(attempt: $0, state: .running, spooled: 1 << 20)] } ?? []
                let hello = Hello(
                    version: "test", processNonce: "one-process-that-lies", bootID: "boot-of-the-liar",
                    storeID: "store-of-the-liar",
                    highestAttemptSeen: attempt ?? AttemptID(0), containment: .bestEffort, slots: 1, labels: [:],
                    attempts: known)
                do {
                    try await connection.send(try WireCodec.encode(.hello(hello)))
                    // It is let in, and lies then: what comes before WELCOME is not read.
                    guard let first = try await connection.receive() else {
                        heard.end(await connection.closed())
                        return .leave
                    }
                    heard.add(try WireCodec.decodeControllerMessage(first))
                    try await connection.send(try WireCodec.encode(message))
                    let beat = AgentHeartbeat(nowMs: 1, load: 0, diskFreeBytes: 1)
                    try await connection.send(try WireCodec.encode(.heartbeat(beat)))
                } catch {
                    print("the liar can't speak: \(error)")
                }
                await withTaskGroup(of: Void.self) { group in
                    group.addTask {
                        try? await Task.sleep(for: .milliseconds(300))
                        connection.close(code: CloseCode.goingAway.rawValue, reason: "")
                    }
                    while let bytes = try? await connection.receive() {
                        if let answer = try? WireCodec.decodeControllerMessage(bytes) { heard.add(answer) }
                    }
                    group.cancelAll()
                }
                return .leave
            }
        }
        guard done.wait(timeout: .now() + 30) == .success else { throw TestFailure("The liar did not come to an end.") }
        // Who says in HELLO already that another's attempt is its own may be refused for that; everyone else is let in.
        let isRefused = attempt != nil && heard.refusal?.source == .peer
        guard !heard.all.isEmpty || isRefused else {
            throw TestFailure("The liar was not let in, so nothing was tried: \(String(describing: heard.refusal)).")
        }
        return heard.all
    }

    private final class Heard: @unchecked Sendable {
        private let lock = NSLock()
        private var messages: [ControllerMessage] = []
        func add(_ message: ControllerMessage) { lock.withLock { messages.append(message) } }
        func end(_ end: ConnectionEnd) { lock.withLock { last = end } }
        private var last: ConnectionEnd?
        var refusal: ConnectionEnd? { lock.withLock { last } }
        var all: [ControllerMessage] { lock.withLock { messages } }
    }
}
