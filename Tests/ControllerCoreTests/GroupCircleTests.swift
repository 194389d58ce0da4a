import ControllerCore
import Testing

/// Two pipelines that take the same groups in another order.
@Suite struct GroupCircleTests {
    /// A run in group `own` whose only job wants group `other`.
    private static func run(_ own: String, then other: String, _ rig: inout Rig) -> RunID {
        var job = Make.job("a")
        job.concurrency = ConcurrencyPlan(group: other)
        var request = Make.request([Make.job("first"), Self.needing(job)])
        request.plan.concurrency = ConcurrencyPlan(group: own)
        let made = request
        guard case .success(let row) = rig.group({ $0.createRun(made) }) else { return 0 }
        return row.id
    }

    private static func needing(_ job: JobPlan) -> JobPlan {
        var job = job
        job.needs = [NeedPlan("first")]
        return job
    }

    @Test func aCircleIsNamedAndACancelBreaksIt() {
        var rig = Rig()
        rig.connect()
        let left = Self.run("x", then: "y", &rig)
        let right = Self.run("y", then: "x", &rig)
        rig.finish(1)
        // The left run waits for the right one, which still works: no circle yet.
        let early = rig.machine.waitingReasons(left).first { $0.kind == .group }
        #expect(early != nil && early?.message.contains("waits in turn") == false)
        rig.finish(2)
        for (run, own) in [(left, "x"), (right, "y")] {
            let reason = rig.machine.waitingReasons(run).first { $0.kind == .group }
            #expect(
                reason?.message.contains("waits in turn for the group \(own), which this run holds: cancel one")
                    == true,
                "\(String(describing: reason?.message))")
        }
        _ = rig.group { $0.cancelRun(right, by: "me", reason: nil, force: false) }
        #expect(rig.run(right).outcome == .cancelled && rig.starts == [3])
        rig.finish(3)
        #expect(rig.run(left).outcome == .success)
    }

    @Test func aHolderThatCanLeaveIsNoCircle() {
        var rig = Rig()
        rig.connect(slots: 4)
        let left = Self.run("x", then: "y", &rig)
        var job = Make.job("a")
        job.concurrency = ConcurrencyPlan(group: "y")
        rig.create([job])
        rig.finish(1)
        let reason = rig.machine.waitingReasons(left).first { $0.kind == .group }
        #expect(reason?.message.contains("it is held by job a of") == true)
        #expect(reason?.message.contains("waits in turn") == false)
    }
}
