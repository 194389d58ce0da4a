import AnsFlowProtocol
import ControllerCore
import Testing

/// What operators and silence do to agents and to what they hold.
@Suite struct AgentCommandTests {
    @Test func revokingStartsNothingMoreOnTheAgent() {
        var rig = Rig()
        rig.connect()
        rig.create([Make.job("a", [Make.step("s1"), Make.step("s2", needs: ["s1"], if: Make.always)])])
        rig.started(1)
        _ = rig.group { $0.revokeAgent(1, by: "me") }
        #expect(rig.stops == [1] && rig.closes == [.revoked])
        #expect(rig.starts.isEmpty, "a step was started on a revoked agent")
        #expect(rig.run(1).outcome == .failed && rig.run(1).cause == .agentRevoked)
        #expect(rig.rows.attempts[1]?.cause == .agentRevoked)
        #expect(rig.busy == 0 && rig.machine.statistics.runningAttempts == 0)
        guard case .refuse(.revoked, _) = rig.connect() else {
            Issue.record("a revoked agent was welcomed")
            return
        }
    }

    @Test func goneIsRefusedWhileConnected() {
        var rig = ResumeTests.assigned()
        rig.connect(1, [(1, .running)], seen: 1)
        guard case .failure(.conflict) = rig.group({ $0.agentGone(1, by: "me", reason: nil) }) else {
            Issue.record("not refused")
            return
        }
        rig.disconnect()
        guard case .success = rig.group({ $0.agentGone(1, by: "me", reason: "fire") }) else {
            Issue.record("refused")
            return
        }
        #expect(rig.rows.attempts[1]?.cause == .agentGone)
        #expect(rig.rows.attempts[1]?.message?.contains("fire") == true)
        #expect(rig.busy == 0 && rig.run(1).phase == .finished)
    }

    @Test func forceEndsOnlyWhatIsOutOfReach() {
        var rig = Rig(agents: 2, slots: 1)
        rig.connect(1, slots: 1)
        rig.connect(2, slots: 1)
        rig.create([Make.job("a"), Make.job("b")])
        rig.started(1, by: 1)
        rig.started(2, by: 2)
        rig.disconnect(2)
        _ = rig.group { $0.cancelRun(1, by: "me", reason: nil, force: true) }
        #expect(rig.stops == [1])
        #expect(rig.rows.attempts[2]?.cause == .forceCancelled)
        #expect(rig.rows.attempts[1]?.phase == .stopping)
        #expect(rig.run(1).phase == .stopping)
        rig.finish(1, .cancelled, .cancelledByUser)
        #expect(rig.run(1).outcome == .cancelled && rig.busy == 0)
        rig.connect(2, [(2, .running)], seen: 2)
        #expect(rig.stops == [2])
    }

    @Test func silenceAloneEndsNothing() {
        var rig = ResumeTests.assigned()
        rig.tick(seconds: 14)
        #expect(rig.rows.attempts[1]?.phase == .starting)
        rig.tick(seconds: 1)
        #expect(rig.rows.attempts[1]?.phase == .unreachable)
        #expect(rig.machine.waitingReasons(1).map(\.kind) == [.unreachable])
        // (20 s + 1 s + 60 s) × 1.1 = 89.1 s from its START.
        rig.tick(seconds: 73)
        #expect(rig.machine.isLive(1))
        rig.tick(seconds: 2)
        #expect(rig.rows.attempts[1]?.cause == .deadlinePassed)
        #expect(rig.run(1).outcome == .failed && rig.busy == 0)
    }

    /// Downtime and pauses count for nothing: a tick is one second at most.
    @Test func onlyTicksCount() {
        var rig = ResumeTests.assigned()
        for _ in 0..<80 {
            rig.group { $0.tick(elapsed: 3_600_000) }
            rig.restart()
        }
        #expect(rig.machine.isLive(1))
    }

    @Test func aJobWithoutALiveStepIsLostAfterTenMinutes() {
        var rig = Rig()
        rig.connect()
        rig.create([Make.job("a", [Make.step("s1"), Make.step("s2", needs: ["s1"], if: Make.always)])])
        rig.disconnect()
        rig.tick(seconds: 599)
        #expect(rig.step("s1").cause == .deadlinePassed && rig.step("s2").phase == .queued)
        #expect(rig.job("a").phase == .running)
        rig.tick(seconds: 2)
        #expect(rig.job("a").outcome == .lost && rig.job("a").cause == .agentLost)
        #expect(rig.busy == 0)
    }

    @Test func jobsRunsAndQueuesHaveTheirLimits() {
        var rig = Rig()
        rig.connect()
        rig.create([Make.job("a", timeoutMs: 5_000)])
        rig.started(1)
        rig.tick(seconds: 5)
        #expect(rig.stops == [1] && rig.job("a").phase == .stopping)
        rig.finish(1, .timedOut, .timeout)
        #expect(rig.job("a").outcome == .timedOut && rig.job("a").cause == .timeout)

        var waiting = Rig(agents: 0)
        waiting.group { _ = $0.createRun(Make.request([Make.job("a")], timeoutMs: 30_000)) }
        waiting.create([Make.job("b")])
        waiting.tick(seconds: 31)
        #expect(waiting.run(1).outcome == .failed && waiting.run(1).cause == .timeout)
        #expect(waiting.machine.statistics.queuedJobs == 1)
        waiting.tick(seconds: 86_400)
        #expect(waiting.job("b", of: 2).cause == .queueTimeout)
        #expect(waiting.machine.statistics.queuedJobs == 0)
    }

    /// The agent's own drain ends with its process; one that was asked for here stays.
    @Test func aDrainByTheAgentsOperatorEndsWithItsProcess() {
        var rig = Rig()
        rig.connect(draining: true)
        rig.create([Make.job("a")])
        #expect(rig.starts.isEmpty && rig.machine.view(of: 1)?.row.draining == true)
        #expect(rig.machine.waitingReasons(1).map(\.kind) == [.agentsPaused])
        rig.connect()
        #expect(rig.starts == [1])
        _ = rig.group { $0.drainAgent(1) }
        #expect(rig.messages == [.drain])
        rig.connect(1, [(1, .running)], seen: 1)
        #expect(rig.messages == [.drain] && rig.machine.view(of: 1)?.row.draining == true)
        _ = rig.group { $0.resumeAgent(1) }
        #expect(rig.machine.view(of: 1)?.row.draining == false)
    }

    /// An agent whose slots are held by what it can't end answers that it never started what it is given.
    @Test func anAgentThatStartsNothingIsNotAskedInCircles() {
        var rig = Rig(agents: 2, slots: 1)
        rig.connect(1, slots: 1)
        rig.create([Make.job("a")])
        rig.finish(1, .error, .neverStarted)
        #expect(rig.starts == [2], "the first repetition comes at once")
        rig.finish(2, .error, .neverStarted)
        #expect(rig.starts.isEmpty && rig.busy == 0)
        #expect(rig.job("a").phase == .queued && rig.run(1).phase == .running)
        #expect(rig.machine.waitingReasons(1).first?.candidates.first?.lacks.contains("asked again") == true)
        rig.tick(seconds: 4)
        #expect(rig.starts.isEmpty)
        rig.tick(seconds: 2)
        #expect(rig.starts == [3])
        rig.finish(3, .error, .neverStarted)
        rig.tick(seconds: 9)
        #expect(rig.starts.isEmpty, "each pause is longer than the last")
        rig.connect(2, slots: 1)
        #expect(rig.starts == [4], "another agent takes it")
        rig.started(4, by: 2)
        rig.finish(4, by: 2)
        #expect(rig.run(1).outcome == .success && rig.busy == 0)
        #expect(rig.rows.jobAttempts.values.count { $0.outcome == nil } == 0)
    }

    @Test func slotsAreWhatAnAgentMayHave() {
        var rig = Rig()
        rig.connect(slots: 1_000_000)
        #expect(rig.rows.agents[1]?.slots == ProtocolLimits.slotsMax)
        rig.connect(slots: -3)
        #expect(rig.rows.agents[1]?.slots == 0)
    }
}
