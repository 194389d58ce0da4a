import AnsFlowProtocol
import ControllerCore
import Testing

@Suite struct CommandTests {
    @Test func theSameKeyGivesTheSameRunForADay() {
        var rig = Rig()
        let first = rig.create([Make.job("a")], key: "me:1")
        #expect(rig.create([Make.job("a")], key: "me:1") == first)
        #expect(rig.rows.runs.count == 1)
        rig.restart()
        #expect(rig.create([Make.job("a")], key: "me:1") == first)
        _ = rig.group { $0.cancelRun(first, by: "me", reason: nil, force: false) }
        guard case .failure(.conflict) = rig.group({ $0.createRun(Make.request([Make.job("a")], key: "me:1")) })
        else {
            Issue.record("a second run was made")
            return
        }
        rig.now += EngineLimits.idempotencyKeptMs + 1
        #expect(rig.create([Make.job("a")], key: "me:1") != first)
    }

    @Test func runsAreNumberedByPipelineAcrossRestarts() {
        var rig = Rig()
        rig.create([Make.job("a", if: Make.never)])
        rig.restart()
        let second = rig.create([Make.job("a")])
        #expect(rig.run(second).number == 2 && second == 2)
    }

    @Test func aRunOfNothingEndsInItsFirstGroup() {
        var rig = Rig()
        let run = rig.create([Make.job("a", if: Make.never), Make.job("b", needs: ["a"], if: Make.never)])
        #expect(rig.run(run).outcome == .skipped)
        #expect(rig.machine.statistics.activeRuns == 0)
        #expect(rig.rows.events[run]?.isEmpty == false)
    }

    @Test func cancellingTwiceChangesNothing() {
        var rig = Rig()
        let run = rig.create([Make.job("a")])
        _ = rig.group { $0.cancelRun(run, by: "me", reason: "why", force: false) }
        #expect(rig.run(run).cancelledBy == "me" && rig.run(run).outcome == .cancelled)
        guard case .failure(.notFound) = rig.group({ $0.cancelRun(run, by: "you", reason: nil, force: false) }) else {
            Issue.record("it was cancelled again")
            return
        }
    }

    @Test func eachWaitSaysWhy() {
        var rig = Rig(agents: 0)
        func kinds() -> [WaitingReason.Kind] { rig.machine.waitingReasons(1).map(\.kind) }
        let steps = [Make.step("s1"), Make.step("s2"), Make.step("s3", needs: ["s1"])]
        rig.create([Make.job("a", labels: ["os": "linux"], parallel: 1, steps), Make.job("b", needs: ["a"])])
        #expect(kinds() == [.noAgent, .needs])
        rig.rows.agents[1] = AgentRow(
            id: 1, name: "one", key: "k", labels: ["os": "linux"], slots: 1, createdAt: 0)
        rig.machine.learn(rig.rows.agents[1]!)
        #expect(kinds() == [.agentsOffline, .needs])
        _ = rig.group { $0.pauseAgent(1, note: "upkeep") }
        rig.connect(slots: 1, labels: ["os": "linux"])
        #expect(kinds() == [.agentsPaused, .needs])
        #expect(rig.machine.waitingReasons(1)[0].candidates == [.init(agent: "one", lacks: "it is paused (upkeep)")])
        _ = rig.group { $0.resumeAgent(1) }
        #expect(kinds() == [.parallel, .needs, .needs])
        rig.create([Make.job("c")])
        let slots = rig.machine.waitingReasons(2)
        #expect(slots.map(\.kind) == [.slots] && slots.first?.position == 1)
        rig.disconnect()
        rig.tick(seconds: 15)
        #expect(kinds().contains(.unreachable))
        #expect(rig.machine.waitingReasons(77).isEmpty)
    }
}
