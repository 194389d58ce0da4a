import Foundation
import TestSupport
import Testing

/// Rows 3, 4 and 5 of the fault matrix: agent, shim or host die.
@Suite struct AgentKillTests {
    /// Says its process id, starts a child in the background, counts, and ends well.
    private static func counting(_ work: String, to count: Int) -> String {
        """
        echo start >> \(work)/mark
        sleep 1000 & child=$!
        echo $$ >> \(work)/pids; echo $child >> \(work)/pids
        i=0
        while [ $i -lt \(count) ]; do i=$((i + 1)); echo "count $i" | tee -a \(work)/tee; sleep 0.1; done
        kill $child
        """
    }

    @Test func killedAgentFindsItsStepAgain() async throws {
        try await Cluster.with { cluster in
            let run = try cluster.start(Self.counting(cluster.work, to: Binaries.isFull ? 300 : 60))
            for kill in 1...(Binaries.isFull ? 10 : 2) {
                try cluster.waitLines("tee", kill * 15)
                cluster.agent.kill()
                let before = cluster.lines("tee").count
                try cluster.waitLines("tee", before + 3)
                try cluster.agent.start()
            }
            let end = try cluster.finish(run, within: 90)
            try #require(end["status"].text == "success", "\(end)")
            try #require(Cluster.attempt(end)["exit_code"].int == 0)
            try #require(Cluster.step(end)["attempts"].items.count == 1)
            try #require(cluster.lines("mark").count == 1)
            #expect(try cluster.differs(end, from: "tee") == nil)
        }
    }

    @Test func agentAndShimKilled() async throws {
        try await Cluster.with { cluster in
            let bystander = try ChildProcess("/bin/sleep", ["600"])
            cluster.keep(bystander)
            let run = try cluster.start(Self.counting(cluster.work, to: 10_000))
            try cluster.waitLines("tee", 3)
            let pids = cluster.lines("pids").compactMap { Int32($0) }
            try #require(pids.count == 2)
            cluster.agent.kill()
            try cluster.agent.killShims()
            try cluster.agent.start()
            let end = try cluster.finish(run)
            let attempt = Cluster.attempt(end)
            try #require(attempt["result"].text == "lost", "\(end)")
            try #require(end["status"].text == "failed")
            try #require(cluster.lines("mark").count == 1, "nothing was started again")
            if cluster.agent.cgroup != nil {
                try eventually(within: 5, "the step's tree is dead") { pids.allSatisfy { !ProcessTable.isAlive($0) } }
            }
            #expect(bystander.ended() == nil, "nobody else is killed")
            let next = try cluster.start("true", name: "next")
            #expect(try cluster.finish(next)["status"].text == "success", "the agent goes on")
        }
    }

    @Test func hostWasRestarted() async throws {
        try await Cluster.with { cluster in
            let run = try cluster.start(Self.counting(cluster.work, to: 10_000))
            try cluster.waitLines("tee", 3)
            let pids = cluster.lines("pids").compactMap { Int32($0) }
            cluster.agent.kill()
            try cluster.agent.killShims()
            for pid in pids where ProcessTable.isAlive(pid) { kill(pid, SIGKILL) }
            // A process of somebody else: it stands for one that got a number which the dead step's files name.
            let bystander = try ChildProcess("/bin/sleep", ["600"])
            cluster.keep(bystander)
            try AgentJournalFile(cluster.agent.dataDirectory).forgeOtherBoot()
            for name in try FileManager.default.contentsOfDirectory(atPath: cluster.agent.dataDirectory + "/shims") {
                try TextFile.write("\(cluster.agent.dataDirectory)/shims/\(name)/pid", "\(bystander.pid)\n")
            }
            try cluster.agent.start()
            let end = try cluster.finish(run)
            try #require(Cluster.attempt(end)["result"].text == "lost", "\(end)")
            try #require(cluster.lines("mark").count == 1)
            let next = try cluster.start("true", name: "next")
            try #require(try cluster.finish(next)["status"].text == "success", "the agent goes on")
            #expect(bystander.ended() == nil, "nobody else is killed")
        }
    }
}

/// The agent's journal, as a test changes it.
private struct AgentJournalFile {
    var path: String

    init(_ dataDirectory: String) { path = dataDirectory + "/journal" }

    /// Replaces the boot id of every entry with another one, with right checksums.
    func forgeOtherBoot() throws {
        let own = Array(TextFile.read("/proc/sys/kernel/random/boot_id").prefix(36).utf8)
        let other = Array("00000000-1111-2222-3333-444444444444".utf8)
        var bytes = TextFile.bytes(path)
        var changed = 0
        var start = 0
        while start + 8 <= bytes.count {
            let count = bytes[start..<start + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
            guard start + 8 + count <= bytes.count else { break }
            let body = start + 8..<start + 8 + count
            if let at = body.first(where: { bytes[$0..<min($0 + own.count, body.upperBound)].elementsEqual(own) }) {
                bytes.replaceSubrange(at..<at + own.count, with: other)
                changed += 1
            }
            let crc = Self.crc32c(Array(bytes[start..<start + 4]) + bytes[body])
            for index in 0..<4 { bytes[start + 4 + index] = UInt8(truncatingIfNeeded: crc >> (8 * UInt32(index))) }
            start = body.upperBound
        }
        guard changed > 0 else { throw TestFailure("The journal names no boot.") }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }

    private static func crc32c(_ bytes: [UInt8]) -> UInt32 {
        var crc: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
        }
        return crc ^ 0xFFFF_FFFF
    }
}
