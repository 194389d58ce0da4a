import AgentCore
import AgentExec
import AgentShimCore
import AnsFlowProtocol
import Glibc
import NIOCore
import NIOPosix
import TestSupport
import Testing

@Suite("Steps under real shims", .serialized)
struct ShimHostTests {
    @Test("a step runs once, with its log, outputs and none of the agent's own variables")
    func wholeStep() throws {
        let scratch = try Scratch()
        let side = try AgentSide(scratch)
        let commands = [
            "echo one; cd /", "pwd; env; echo key=value >> \"$ANSFLOW_OUTPUT\"", "echo hush-hush-hush; exit 3",
            "echo never",
        ]
        try side.run(start(7, commands, environment: ["GREETING": "hello"], secrets: ["SECRET": "hush-hush-hush"]))
        try side.has(.shimStarted(AttemptID(7)))
        let ending = try side.ending(7)
        #expect(ending.result == .failed)
        #expect(ending.exitCode == 3)
        #expect(ending.outputs == ["key": "value"])
        let log = side.log(7)
        #expect(log.hasPrefix("$ echo one; cd /\none\n$ pwd; env;"))
        #expect(log.contains("\n/\n"))
        #expect(log.contains("GREETING=hello\n"))
        #expect(!log.contains("hush-hush-hush"))
        #expect(!log.contains("credential") && !log.contains("AGENT_KEY"))
        #expect(!log.contains("\nnever"))
        side.on { host in
            host.record(.forgotten(AttemptID(7)))
            host.forget(AttemptID(7))
        }
        try eventually(within: 20, "spool, record and start file are gone") {
            !scratch.exists("data/spool/7.log") && !scratch.exists("data/spool/7.exit")
                && !scratch.exists("data/starts/7")
        }
        try side.die()
    }

    @Test("a step runs while every thread of Swift's pool is taken")
    func fullPool() throws {
        let scratch = try Scratch()
        let pool = try FullPool()
        defer { pool.release() }
        let side = try AgentSide(scratch)
        try side.run(start(17, ["echo here"]))
        #expect(try side.ending(17).result == .success)
        try side.die()
    }

    @Test("a killed agent's step goes on, and the next one adopts it")
    func adoption() throws {
        let scratch = try Scratch()
        let first = try AgentSide(scratch)
        let gate = "\(scratch.path)/gate"
        try first.run(start(8, ["echo before; while [ ! -e '\(gate)' ]; do sleep 0.05; done; echo after"]))
        try first.has(.shimStarted(AttemptID(8)))
        try first.die()

        let second = try AgentSide(scratch)
        let condition = second.survey.state.attempts.first?.condition
        guard case .running = condition else {
            throw TestFailure("expected a running attempt, found \(String(describing: condition))")
        }
        try scratch.write("gate", "")
        let ending = try second.ending(8)
        #expect(ending.result == .success)
        #expect(second.log(8).hasSuffix("before\nafter\n"))
        try second.die()
    }

    @Test("what has ended while no agent was there is found by its record")
    func endedMeanwhile() throws {
        let scratch = try Scratch()
        let first = try AgentSide(scratch)
        try first.run(start(9, ["exit 4"]))
        _ = try first.ending(9)
        try first.die()
        let second = try AgentSide(scratch)
        guard case .exited(let ending) = second.survey.state.attempts.first?.condition else {
            throw TestFailure("expected an end, found \(second.survey.state)")
        }
        #expect(ending.exitCode == 4)
        try second.die()
    }

    @Test("a journal of another boot: lost, and nothing is touched")
    func otherBoot() throws {
        let scratch = try Scratch()
        let first = try AgentSide(scratch, bootID: "11111111-2222-3333-4444-555555555555")
        try first.run(start(10, ["sleep 60"]))
        try first.has(.shimStarted(AttemptID(10)))
        try first.die()
        let second = try AgentSide(scratch)
        guard case .otherBoot = second.survey.state.attempts.first?.condition else {
            throw TestFailure("expected another boot, found \(second.survey.state)")
        }
        #expect(ProcessTable.shims(of: second.paths.root).isEmpty == false)
        for pid in ProcessTable.shims(of: second.paths.root) { kill(pid, SIGKILL) }
        try second.die()
    }

    @Test("a claimed attempt never runs, also when its shim has the START")
    func neverStarted() throws {
        let scratch = try Scratch()
        let side = try AgentSide(scratch)
        side.on { $0.claim(AttemptID(11)) }
        try side.has(.claimed(AttemptID(11), won: true))
        try side.run(start(11, ["touch '\(scratch.path)/ran'"]))
        _ = try side.wait("the shim refuses") { input in
            if case .shimRefused(AttemptID(11), _) = input { true } else { nil }
        }
        #expect(!scratch.exists("ran"))
        side.on { $0.claim(AttemptID(11)) }
        try side.has(.claimed(AttemptID(11), won: false))
        try side.die()
    }

    @Test("an attempt whose shim died before the start is claimed; after it, lost")
    func deadShims() throws {
        let scratch = try Scratch()
        let first = try AgentSide(scratch)
        first.on { $0.accept(AttemptID(12), JobAttemptID(1)) }
        try first.has(.journalled(AttemptID(12)))
        try first.run(start(13, ["sleep 60"]))
        try first.has(.shimStarted(AttemptID(13)))
        try first.die()
        // Again and again: one that was being started when the agent died comes later.
        try eventually(within: 10, "shims are gone") {
            let alive = ProcessTable.shims(of: first.paths.root)
            for pid in alive { kill(pid, SIGKILL) }
            return alive.isEmpty
        }
        let second = try AgentSide(scratch)
        #expect(
            second.survey.state.attempts.map(\.condition) == [
                .gone(startFile: false, spooled: 0),
                .gone(startFile: true, spooled: second.log(13).utf8.count.magnitude64),
            ])
        try second.die()
    }

    @Test("a shim that dies under a living agent is noticed")
    func shimKilled() throws {
        let scratch = try Scratch()
        let side = try AgentSide(scratch)
        try side.run(start(14, ["sleep 60"]))
        try side.has(.shimStarted(AttemptID(14)))
        for pid in ProcessTable.shims(of: side.paths.root) { kill(pid, SIGKILL) }
        _ = try side.wait("the loss") { input in
            if case .shimLost(AttemptID(14), _) = input { true } else { nil }
        }
        try side.die()
    }

    @Test("a command that does not exist and a stop end with their causes")
    func causes() throws {
        let scratch = try Scratch()
        let side = try AgentSide(scratch)
        try side.run(start(15, ["no-such-command-at-all"]))
        #expect(try side.ending(15).exitCode == 127)
        try side.run(start(16, ["sleep 60"]))
        try side.has(.shimStarted(AttemptID(16)))
        side.on { $0.stop(AttemptID(16), .cancel, graceMs: 200) }
        #expect(try side.ending(16).cause == .cancelledByUser)
        try side.die()
    }

    @Test("a second agent on the same directory gets a clear word")
    func twice() throws {
        let scratch = try Scratch()
        let paths = AgentPaths(root: "\(scratch.path)/data")
        let first = try DataDirectory(paths)
        #expect { try DataDirectory(paths) } throws: { "\($0)".contains("Another agent uses") }
        withExtendedLifetime(first) {}
    }
}

extension Int {
    fileprivate var magnitude64: UInt64 { UInt64(magnitude) }
}
