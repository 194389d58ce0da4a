import AnsFlowProtocol
import ControllerCore
import Testing

/// The resume table of the protocol, row by row, and the fence.
@Suite struct ResumeTests {
    /// One job of one step that agent 1 was told to start.
    static func assigned(stopped: Bool = false) -> Rig {
        var rig = Rig()
        rig.connect()
        rig.create([Make.job("a")])
        #expect(rig.starts == [1])
        rig.disconnect()
        if stopped { _ = rig.group { $0.cancelRun(1, by: "me", reason: nil, force: false) } }
        return rig
    }

    static func verdict(_ answer: HelloAnswer) -> Welcome.Verdict? {
        guard case .welcome(let welcome) = answer else { return nil }
        return welcome.verdicts.first?.verdict
    }

    @Test func absentAndSameStoreIsStartedAgain() {
        var rig = Self.assigned()
        rig.connect()
        #expect(rig.starts == [1] && rig.stops.isEmpty)
    }

    @Test func absentAndStoppedIsStopped() {
        var rig = Self.assigned(stopped: true)
        rig.connect()
        #expect(rig.stops == [1] && rig.starts.isEmpty)
        rig.finish(1, .cancelled, .neverStarted)
        #expect(rig.run(1).outcome == .cancelled && rig.busy == 0)
    }

    @Test func absentWithAnotherStoreIsLost() {
        var rig = Self.assigned()
        rig.connect(store: "other")
        #expect(rig.starts.isEmpty)
        #expect(rig.rows.attempts[1]?.cause == .agentStateLost)
        #expect(rig.run(1).cause == .agentStateLost && rig.busy == 0)
    }

    /// With another data directory the workspace is gone: no later step may run in an empty one.
    @Test(arguments: [false, true]) func anotherStoreEndsJobsThatHaveBegun(_ endedBefore: Bool) {
        var rig = Rig()
        rig.connect()
        rig.create([Make.job("a", [Make.step("s1"), Make.step("s2", needs: ["s1"], if: Make.always)])])
        rig.started(1)
        rig.disconnect()
        // The first step ends by its deadline; the second then waits for the agent.
        if endedBefore { rig.tick(seconds: 100) }
        rig.connect(store: "other")
        #expect(rig.starts.isEmpty)
        #expect(rig.job("a").outcome == .lost && rig.job("a").cause == .agentStateLost)
        #expect(rig.busy == 0)
    }

    @Test func acceptedIsStartedAgainOrStopped() {
        var rig = Self.assigned()
        #expect(Self.verdict(rig.connect(1, [(1, .accepted)], seen: 1)) == .start)
        #expect(rig.starts == [1])
        rig = Self.assigned(stopped: true)
        #expect(Self.verdict(rig.connect(1, [(1, .accepted)], seen: 1)) == .stop)
        #expect(rig.stops == [1])
    }

    @Test(arguments: [Hello.AttemptState.running, .exited]) func whatRunsGoesOn(_ state: Hello.AttemptState) {
        var rig = Self.assigned()
        #expect(Self.verdict(rig.connect(1, [(1, state)], seen: 1)) == .proceed)
        #expect(rig.starts.isEmpty && rig.stops.isEmpty)
        #expect(rig.rows.attempts[1]?.phase == .running)
        rig = Self.assigned(stopped: true)
        #expect(Self.verdict(rig.connect(1, [(1, state)], seen: 1)) == .proceed)
        #expect(rig.stops == [1])
    }

    @Test(arguments: [Hello.AttemptState.lost, .neverStarted]) func whatEndedIsWaitedFor(_ state: Hello.AttemptState) {
        var rig = Self.assigned()
        #expect(Self.verdict(rig.connect(1, [(1, state)], seen: 1)) == .proceed)
        #expect(rig.starts.isEmpty && rig.stops.isEmpty && rig.forgets.isEmpty)
        #expect(rig.machine.isLive(1))
    }

    @Test func whatHasItsEndIsStoppedOrForgotten() {
        var rig = Self.assigned()
        _ = rig.group { $0.agentGone(1, by: "me", reason: "burnt") }
        #expect(rig.run(1).cause == .agentGone)
        #expect(Self.verdict(rig.connect(1, [(1, .running)], seen: 1)) == .stop)
        #expect(rig.stops == [1] && rig.forgets.isEmpty)
        #expect(Self.verdict(rig.connect(1, [(1, .exited)], seen: 1)) == .forget)
        #expect(rig.forgets == [1])
        rig.finish(1)
        #expect(rig.forgets == [1])
        #expect(rig.rows.attempts[1]?.outcome == .lost, "an end never changes")
    }

    @Test func anAttemptThatNobodyIssuedRefusesTheAgent() {
        var rig = Self.assigned()
        guard case .refuse(let code, _) = rig.connect(1, [(7, .running)], seen: 7) else {
            Issue.record("welcomed")
            return
        }
        #expect(code == .generation)
        guard case .welcome(let welcome) = rig.connect(1, [(7, .running)], seen: 1) else {
            Issue.record("refused")
            return
        }
        #expect(welcome.verdicts.map(\.verdict) == [.orphan])
        #expect(rig.machine.view(of: 1)?.orphans == [7])
        let alarm = rig.machine.view(of: 1)?.alarms.first
        #expect(alarm?.kind == .orphans && alarm?.message.contains("does not know: 7.") == true)
        #expect(rig.machine.statistics.alarmedAgents == 1)
        rig.connect()
        #expect(rig.machine.view(of: 1)?.alarms == [], "it holds them no longer")
        #expect(rig.stops.isEmpty && rig.forgets.isEmpty)
    }

    @Test func anotherAgentsAttemptClosesTheConnectionAndChangesNothing() {
        var rig = Rig(agents: 2, slots: 1)
        rig.connect(1)
        rig.create([Make.job("a")])
        rig.connect(2)
        let before = rig.rows.attempts
        rig.started(1, by: 2)
        #expect(rig.closes == [.revoked])
        rig.finish(1, .failed, by: 2)
        #expect(rig.closes == [.revoked])
        #expect(rig.rows.attempts == before)
        guard case .refuse(.revoked, _) = rig.connect(2, [(1, .running)], seen: 1) else {
            Issue.record("welcomed")
            return
        }
        #expect(!rig.machine.mayLog(1, agent: 2) && rig.machine.mayLog(1, agent: 1))
        #expect(rig.rows.attempts == before)
    }

    @Test func anOldSessionSaysNothing() {
        var rig = Rig()
        rig.connect()
        rig.create([Make.job("a")])
        let old = rig.session[1]!
        rig.connect(1, [(1, .accepted)], seen: 1)
        let (finish, log) = Make.finish(1, .success, .exit)
        rig.group { $0.started(1, by: 1, session: old) }
        rig.group { $0.finished(finish, log: log, by: 1, session: old) }
        rig.group { $0.agentDisconnected(1, session: old) }
        #expect(rig.rows.attempts[1]?.phase == .starting)
        #expect(rig.machine.view(of: 1)?.connected == true)
    }

    @Test func disconnectAndHelloInOneGroupLeaveItConnected() {
        for reversed in [false, true] {
            var rig = Rig()
            rig.connect()
            rig.create([Make.job("a")])
            let old = rig.session[1]!
            let hello = Hello(
                version: "1", processNonce: "p", bootID: "b", storeID: "store", highestAttemptSeen: 1,
                containment: .cgroup2, slots: 2, labels: [:],
                attempts: [.init(attempt: 1, state: .running, spooled: 0)])
            rig.group { engine in
                if !reversed { engine.agentDisconnected(1, session: old) }
                _ = engine.agentConnected(1, session: 50, remote: "", hello: hello, logNext: [:], writable: true)
                if reversed { engine.agentDisconnected(1, session: old) }
            }
            rig.session[1] = 50
            #expect(rig.machine.view(of: 1)?.connected == true)
            rig.finish(1)
            #expect(rig.run(1).outcome == .success)
        }
    }

    @Test func aControllerThatComesBackStartsAgainWhatItHadCommitted() {
        var rig = Rig()
        rig.connect()
        rig.create([Make.job("a", [Make.step("s1"), Make.step("s2")])])
        rig.started(1)
        rig.restart()
        rig.connect(1, [(1, .running)], seen: 1)
        #expect(rig.starts == [2])
        rig.finish(1)
        rig.restart()
        rig.connect(1, [(1, .exited), (2, .accepted)], seen: 2)
        #expect(rig.forgets == [1] && rig.starts == [2])
        rig.finish(2)
        #expect(rig.run(1).outcome == .success && rig.busy == 0)
    }

    @Test func aStepThatWaitedForItsAgentStartsWhenItIsBack() {
        var rig = Rig()
        rig.connect()
        rig.create([Make.job("a", [Make.step("s1"), Make.step("s2", needs: ["s1"], if: Make.always)])])
        rig.started(1)
        rig.disconnect()
        rig.tick(seconds: 100)
        #expect(rig.rows.attempts[1]?.cause == .deadlinePassed)
        #expect(rig.step("s2").phase == .queued)
        rig.restart()
        rig.connect(1, [(1, .running)], seen: 1)
        #expect(rig.stops == [1])
        #expect(rig.starts == [2])
    }

    // MARK: What an operator sees

    /// A late end is refused and kept as a note, said by FINISH or by the next HELLO.
    @Test(arguments: [false, true]) func anEndAfterItWasGivenUpIsANote(_ inHello: Bool) {
        var rig = Self.assigned()
        _ = rig.group { $0.agentGone(1, by: "me", reason: nil) }
        #expect(rig.rows.attempts[1]?.cause == .agentGone)
        rig.connect(1, [(1, inHello ? .exited : .running)], seen: 1)
        #expect(rig.machine.view(of: 1)?.alarms.isEmpty == !inHello)
        rig.finish(1, .success)
        rig.finish(1, .success)
        let alarms = rig.machine.view(of: 1)?.alarms ?? []
        #expect(alarms.map(\.kind) == [.lateEnd] && alarms.first?.count == 1, "once, however often it is repeated")
        #expect(alarms.first?.message.contains("Attempt 1, which was given up") == true)
        #expect(alarms.first?.message.contains("with success") == !inHello)
        #expect(rig.rows.attempts[1]?.outcome == .lost, "an end never changes")
    }

    @Test func aRepeatedEndIsNoNote() {
        var rig = Self.assigned()
        rig.connect(1, [(1, .running)])
        rig.finish(1, .success)
        rig.finish(1, .success)
        #expect(rig.machine.view(of: 1)?.alarms == [])
    }

    @Test func refusalsAreShownUntilTheAgentIsLetIn() {
        var rig = Rig()
        for index in 0..<20 {
            rig.group { $0.refused(1, .generation, reason: "It knows too much.") }
            rig.group { $0.refused(1, .identityConflict, reason: "Address \(index / 10) is another process.") }
        }
        var alarms = rig.machine.view(of: 1)?.alarms ?? []
        #expect(Set(alarms.map(\.count)) == [20, 10])
        #expect(alarms.map(\.closeCode) == [4409, 4412, 4409])
        rig.connect()
        alarms = rig.machine.view(of: 1)?.alarms ?? []
        #expect(alarms.map(\.closeCode) == [4409, 4409], "another process with its key stays an alarm")
        for index in 0..<100 { rig.group { $0.refused(1, .revoked, reason: "\(index)") } }
        #expect(rig.machine.view(of: 1)?.alarms.count == 8, "the newest stay")
        #expect(rig.machine.view(of: 1)?.alarms.last?.message == "99")
        rig.restart()
        #expect(rig.machine.view(of: 1)?.alarms == [])
    }
}
