import AgentCore
import AgentExec
import AnsFlowProtocol
import AnsFlowRecords
import Glibc
import Logging
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing

/// A controller's end of a link: keeps what came, and acknowledges logs.
private final class FakeLink: AgentWire {
    private let messages = Mutex<[AgentMessage]>([])

    var backlogBytes: Int { 0 }
    func trySend(_ message: [UInt8]) -> Bool {
        guard let message = try? WireCodec.decodeAgentMessage(message) else { return false }
        messages.withLock { $0.append(message) }
        return true
    }
    func send(_ message: [UInt8]) async throws { _ = trySend(message) }
    func close(_ code: CloseCode) {}

    var all: [AgentMessage] { messages.withLock { $0 } }
    var finish: Finish? {
        for case .finish(let finish) in all { return finish }
        return nil
    }
    /// The output so far, and where it ends; records must follow each other.
    var output: [UInt8] {
        var bytes: [UInt8] = []
        for case .log(let frame) in all { bytes += payload(frame.records) }
        return bytes
    }
}

@Suite("The whole agent behind its link", .serialized)
struct RuntimeTests {
    private func runtime(_ scratch: Scratch, _ pool: NIOThreadPool) throws -> (AgentRuntime, DataDirectory) {
        let data = try DataDirectory(AgentPaths(root: "\(scratch.path)/data"))
        let profile = AgentProfile(
            version: "1", processNonce: HostFacts.randomName(bytes: 8), bootID: try HostFacts.bootID(),
            storeID: data.storeID, containment: .bestEffort, slots: 1, labels: [:])
        let spawner = try ShimSpawner(
            program: BuiltProducts.path("ansflow-shim"), paths: data.paths, cgroupParent: nil)
        let settings = AgentRuntime.Settings(
            profile: profile, agentName: "tester", agentProgram: BuiltProducts.path("ansflow-agent"), spawner: spawner)
        let runtime = try AgentRuntime(
            settings, directory: data, loop: MultiThreadedEventLoopGroup.singleton.next(), pool: pool,
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        return (runtime, data)
    }

    private func tell(_ runtime: AgentRuntime, _ message: ControllerMessage) async throws {
        await runtime.received(1, try WireCodec.encode(message))
    }

    @Test("START to FORGET, with a log of a megabyte that arrives whole and with its hash")
    func wholeWay() async throws {
        let scratch = try Scratch()
        let pool = NIOThreadPool(numberOfThreads: 2)
        pool.start()
        let (runtime, data) = try runtime(scratch, pool)
        try await runtime.begin()
        let link = FakeLink()
        await runtime.opened(1, link)
        guard case .hello(let hello)? = link.all.first else { throw TestFailure("no HELLO") }
        #expect(hello.storeID == data.storeID)
        let welcome = Welcome(proto: 1, generation: 1, agent: AgentID(1), verdicts: [], writable: true)
        try await tell(runtime, .welcome(welcome))
        let wanted = start(21, ["seq 1 150000"])
        try await tell(runtime, .start(wanted))
        let end = Clock.seconds + 60
        while link.finish == nil, Clock.seconds < end {
            try await tell(runtime, .logAck(AttemptID(21), next: UInt64(link.output.count)))
            try await Task.sleep(for: .milliseconds(5))
        }
        guard let finish = link.finish else {
            throw TestFailure("no FINISH; there is \(link.all.map { "\($0)".prefix(80) })")
        }
        #expect(finish.result == .success)
        #expect(link.all.contains(.started(AttemptID(21))))
        let expected = try "$ seq 1 150000\n" + shell("seq 1 150000")
        #expect(link.output == Array(expected.utf8))
        #expect(finish.log.total == UInt64(expected.utf8.count))
        let sum = try shell("(echo '$ seq 1 150000'; seq 1 150000) | sha256sum").prefix(64)
        #expect(finish.log.sha256 == String(sum))
        try await tell(runtime, .forget(AttemptID(21)))
        try eventually(within: 20, "its files are gone") { !scratch.exists("data/spool/21.log") }
        await runtime.close()
        try await pool.shutdownGracefully()
    }
}
