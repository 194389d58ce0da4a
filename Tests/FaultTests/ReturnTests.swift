import AgentLink
import AnsFlowProtocol
import AnsFlowTransport
import Foundation
import Synchronization
import TestSupport
import Testing

/// Row 36 of the fault matrix: very many agents lose their controller at once, and come back.
@Suite struct ReturnTests {
    @Test func allAgentsAreBackWithinHalfAMinute() async throws {
        // Enrolments from one address are limited: twenty at once, then one in three seconds.
        let light = Binaries.isFull ? 48 : 16
        let crowd = Mutex<LightCrowd?>(nil)
        try await Cluster.with([.init("a1"), .init("a2")]) { cluster in
            let made = try LightCrowd(cluster, count: light)
            crowd.withLock { $0 = made }
            defer { made.end() }
            func connected() throws -> Int {
                try cluster.api.get("/api/v1/agents")["items"].items.filter { $0["connected"].isTrue }.count
            }
            try eventually(within: 60, "all are connected", pause: 200) { try connected() == light + 2 }
            // What the real ones run goes on over all of it.
            let pipeline = try cluster.createPipeline(
                "long",
                Cluster.definition(
                    "echo start >> \(cluster.work)/mark; while [ ! -e \(cluster.work)/go ]; do sleep 0.1; done"))
            let runs = try (0..<4).map { _ in try cluster.startRun(pipeline) }
            try cluster.waitLines("mark", 4)
            for round in 1...(Binaries.isFull ? 3 : 1) {
                let before = made.connections
                cluster.controller.kill()
                cluster.api.disconnect()
                // In the long form it is away for so long that their waits have grown.
                Clock.pause(Binaries.isFull ? [2, 20, 60][round - 1] : 2)
                try cluster.controller.start()
                let began = Clock.seconds
                try eventually(within: 40, "all are back", pause: 100) { try connected() == light + 2 }
                let took = Clock.seconds - began
                #expect(took < 32, "they took \(took) s")
                #expect(made.connections - before <= light * 2, "each came once, not again and again")
                // The controller is itself again: what it is asked it answers at once.
                let asked = Clock.seconds
                _ = try cluster.api.get("/api/v1/pipeline-runs")
                #expect(Clock.seconds - asked < 2)
            }
            try cluster.touch("go")
            for run in runs { try #require(try cluster.finish(run)["status"].text == "success") }
            #expect(cluster.lines("mark").count == 4, "nothing was started again")
        }
        if let crowd = crowd.withLock({ $0 }) { await crowd.ended() }
    }
}

/// Agents with the real dialer, back-off and certificates, and nothing behind them.
private final class LightCrowd: Sendable {
    private let tasks: [Task<Void, Never>]
    private let count = Tally()

    /// Connections that were ever made.
    var connections: Int { count.count }

    /// Enrols and starts them.
    init(_ cluster: Cluster, count: Int) throws {
        var directories: [String] = []
        for number in 0..<count {
            let directory = "\(cluster.root)/light-\(number)"
            // A refusal for too many at once is over in three seconds.
            try eventually(within: 20, "agent \(number) is enrolled", pause: 500) {
                let result = try ChildProcess.run(
                    Binaries.agent,
                    [
                        "enrol", "--controller", "https://127.0.0.1:\(cluster.controller.agentPort)", "--token",
                        try cluster.enrolmentToken(), "--data-dir", directory, "--name", "light-\(number)", "--labels",
                        "kind=light",
                    ])
                return result.code == 0
            }
            directories.append(directory)
        }
        let tally = self.count
        tasks = directories.enumerated().map { number, directory in
            Task { await Self.live(directory, number, tally) }
        }
    }

    func end() { for task in tasks { task.cancel() } }

    func ended() async { for task in tasks { await task.value } }

    private static func live(_ directory: String, _ number: Int, _ tally: Tally) async {
        let nonce = UUID().uuidString
        let dialer = AgentDialer(directory: directory)
        _ = try? await dialer.run { _, connection in
            tally.add()
            let hello = Hello(
                version: "test", processNonce: nonce, bootID: "boot-\(number)", storeID: "store-\(number)",
                highestAttemptSeen: AttemptID(0), containment: .bestEffort, slots: 1, labels: ["kind": "light"],
                attempts: [])
            try? await connection.send(try WireCodec.encode(.hello(hello)))
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    while !Task.isCancelled {
                        let beat = AgentHeartbeat(
                            nowMs: Int64(Date().timeIntervalSince1970 * 1000), load: 0, diskFreeBytes: 1 << 30)
                        guard let bytes = try? WireCodec.encode(.heartbeat(beat)),
                            (try? await connection.send(bytes)) != nil,
                            (try? await Task.sleep(for: .seconds(10))) != nil
                        else { return }
                    }
                }
                while (try? await connection.receive()) != nil {}
                group.cancelAll()
            }
            return Task.isCancelled ? .leave : .redial
        }
    }
}
