import AnsFlowProtocol
import ControllerCore
import Testing

/// Approvals, untrusted runs and concurrency groups, through the whole engine.
@Suite struct GateTests {
    private static let inputs = [
        InputPlan(name: "level", kind: .choice, options: ["low", "high"], required: true),
        InputPlan(name: "count", kind: .number, defaultValue: .number(3)),
    ]

    private func gated(_ expiresMs: UInt64 = 60_000) -> [JobPlan] {
        var deploy = Make.job("deploy", needs: ["build"])
        deploy.approval = ApprovalPlan(
            by: [.maintainer], inputs: Self.inputs, expiresMs: expiresMs, message: "ship it?")
        return [Make.job("build"), deploy, Make.job("after", needs: ["deploy"])]
    }

    private func built(_ rig: inout Rig, expiresMs: UInt64 = 60_000) {
        rig.connect()
        rig.create(gated(expiresMs))
        rig.finish(1)
    }

    @Test func aJobWaitsForItsApprovalAndSeesWhatWasGiven() {
        var rig = Rig()
        built(&rig)
        #expect(rig.job("deploy").phase == .blocked && rig.rows.approvals[1]?[2]?.state == .waiting)
        let reason = rig.machine.waitingReasons(1).first
        #expect(reason?.kind == .approval && reason?.message == "waits for the approval of maintainer: ship it?")
        func approve(_ inputs: [String: InputValue]) -> Result<ApprovalRow, CommandFailure> {
            rig.group { $0.approve(1, job: "deploy", by: "boss", inputs: inputs, reason: "fine") }
        }
        guard case .failure(.invalid(let faults)) = approve(["level": .text("mid"), "other": .boolean(true)]) else {
            Issue.record("wrong inputs were taken")
            return
        }
        #expect(faults.map(\.field) == ["other", "level"])
        guard case .success(let row) = approve(["level": .text("high")]) else {
            Issue.record("the approval was refused")
            return
        }
        #expect(row.state == .approved && row.by == "boss" && row.inputs["count"] == .number(3))
        guard case .start(let start)? = rig.messages.first(where: { if case .start = $0 { true } else { false } })
        else {
            Issue.record("nothing was started")
            return
        }
        #expect(start.spec.environment["ANSFLOW_INPUT_LEVEL"] == "high")
        #expect(start.spec.environment["ANSFLOW_INPUT_COUNT"] == "3")
        guard case .success = approve([:]) else {
            Issue.record("saying it again is no conflict")
            return
        }
        guard case .failure(.conflict) = rig.group({ $0.decline(1, job: "deploy", by: "x", reason: nil) }) else {
            Issue.record("it was declined after it was approved")
            return
        }
    }

    @Test func declinedAndExpiredEndAsCancelled() {
        for expires in [false, true] {
            var rig = Rig()
            built(&rig)
            rig.restart()
            if expires {
                rig.tick(seconds: 61)
            } else {
                _ = rig.group { $0.decline(1, job: "deploy", by: "boss", reason: "not now") }
            }
            let job = rig.job("deploy")
            #expect(job.outcome == .cancelled && job.cause == (expires ? .approvalExpired : .approvalDeclined))
            #expect(job.message == (expires ? "nobody approved it within 1m" : "declined by boss: not now"))
            #expect(rig.job("after").outcome == .skipped)
            #expect(rig.run(1).outcome == .cancelled && rig.run(1).cause == job.cause)
            guard case .failure = rig.group({ $0.approve(1, job: "deploy", by: "b", inputs: [:], reason: nil) }) else {
                Issue.record("an approval came after the end")
                return
            }
        }
    }

    @Test func anApprovalDoesNotCountAgainstTheRun() {
        var rig = Rig()
        rig.connect()
        _ = rig.group { $0.createRun(Make.request(self.gated(120_000), timeoutMs: 60_000)) }
        rig.finish(1)
        rig.tick(seconds: 100)
        #expect(rig.run(1).phase != .finished)
        _ = rig.group { $0.approve(1, job: "deploy", by: "b", inputs: ["level": .text("low")], reason: nil) }
        #expect(rig.run(1).deadline == rig.machine.clock + 60_000)
    }

    private func untrusted() -> RunRequest {
        var request = Make.request([Make.job("a")])
        request.plan.facts.trusted = false
        return request
    }

    @Test func anUntrustedRunWaitsAndGoesToItsOwnAgents() {
        var rig = Rig(agents: 2)
        rig.connect(1)
        _ = rig.group { $0.createRun(self.untrusted()) }
        #expect(rig.run(1).phase == .blocked && !rig.run(1).trusted && rig.starts.isEmpty)
        #expect(rig.machine.waitingReasons(1).map(\.kind) == [.approval])
        rig.restart()
        rig.connect(1)
        #expect(rig.starts.isEmpty)
        _ = rig.group { $0.approve(1, job: nil, by: "boss", inputs: [:], reason: nil) }
        #expect(rig.starts.isEmpty, "the agent is not for it")
        let reason = rig.machine.waitingReasons(1)[0]
        #expect(reason.kind == .noAgent && reason.message.contains("untrusted=true"))
        #expect(reason.candidates[0].lacks == "label untrusted=true")
        rig.connect(2, labels: ["untrusted": "true"])
        #expect(rig.starts == [1])
        // That agent takes nothing else.
        rig.disconnect(1)
        rig.create([Make.job("b")])
        #expect(rig.starts.isEmpty)
        #expect(rig.machine.waitingReasons(2)[0].candidates.contains { $0.lacks.contains("untrusted runs only") })
    }

    @Test func anUntrustedRunCanBeDeclinedOrCancelled() {
        var rig = Rig()
        for index in 1...2 {
            _ = rig.group { $0.createRun(self.untrusted()) }
            let id = RunID(Int64(index))
            if index == 1 {
                _ = rig.group { $0.decline(id, job: nil, by: "boss", reason: nil) }
                #expect(rig.run(id).cause == .approvalDeclined)
            } else {
                _ = rig.group { $0.cancelRun(id, by: "me", reason: nil, force: false) }
                #expect(rig.run(id).cause == .cancelledByUser && rig.rows.approvals[id]?[nil]?.state == .withdrawn)
            }
            #expect(rig.run(id).phase == .finished && rig.run(id).outcome == .cancelled)
        }
    }

    // MARK: Groups

    private func run(_ rig: inout Rig, _ plan: ConcurrencyPlan?, _ jobs: [JobPlan]? = nil) -> RunID {
        var request = Make.request(jobs ?? [Make.job("a")])
        request.plan.concurrency = plan
        guard case .success(let row) = rig.group({ $0.createRun(request) }) else { return 0 }
        return row.id
    }

    @Test(arguments: [false, true]) func runsOfAGroupGoOneAfterTheOther(_ restarts: Bool) {
        var rig = Rig(slots: 8)
        rig.connect(slots: 8)
        let ids = (0..<4).map { _ in run(&rig, ConcurrencyPlan(group: "g")) }
        for (index, id) in ids.enumerated() {
            #expect(rig.run(id).phase == .running)
            for later in ids[(index + 1)...] { #expect(rig.run(later).phase == .blocked) }
            if let second = ids.dropFirst(index + 2).first {
                let reason = rig.machine.waitingReasons(second)[0]
                #expect(reason.kind == .group && reason.position == 2)
                #expect(reason.front.map(\.run) == [id, ids[index + 1]] && reason.front.map(\.holds) == [true, false])
                #expect(reason.message.contains("it is held by p run \(index + 1); 1 wait before it"))
            }
            if restarts {
                rig.restart()
                rig.connect(1, [(AttemptID(Int64(index + 1)), .running)], slots: 8)
            }
            rig.finish(AttemptID(Int64(index + 1)))
        }
        #expect(ids.allSatisfy { rig.run($0).outcome == .success })
    }

    @Test func newerRunsMayTakeThePlace() {
        for (onNew, first, second) in [
            (ConcurrencyPlan.OnNew.queue, Phase.running, Phase.blocked), (.cancelPending, .running, .finished),
            (.cancelRunning, .stopping, .finished),
        ] {
            var rig = Rig(slots: 8)
            rig.connect(slots: 8)
            let ids = (0..<3).map { _ in run(&rig, ConcurrencyPlan(group: "g", onNew: onNew)) }
            #expect(rig.run(ids[0]).phase == first && rig.run(ids[1]).phase == second)
            #expect(rig.run(ids[2]).phase == .blocked)
            if onNew != .queue {
                #expect(rig.run(ids[1]).cause == .superseded && rig.run(ids[1]).outcome == .cancelled)
            }
            rig.finish(1)
            #expect(rig.run(onNew == .queue ? ids[1] : ids[2]).phase == .running)
        }
    }

    @Test func jobsOfAGroupKeepTheirPlaceDuringBackOff() {
        var rig = Rig(agents: 2, slots: 4)
        rig.connect(1)
        rig.connect(2)
        func job(_ name: String) -> JobPlan {
            var job = Make.job(name)
            job.concurrency = ConcurrencyPlan(group: "g")
            job.retry = RetryPlan(max: 1, backoffMs: 10_000)
            return job
        }
        rig.create([job("a"), job("b")])
        #expect(rig.starts == [1] && rig.job("b").phase == .blocked)
        rig.finish(1, .failed)
        #expect(rig.job("a").retryAt != nil && rig.job("b").phase == .blocked)
        #expect(rig.machine.waitingReasons(1).map(\.kind) == [.retry, .group])
        rig.restart()
        rig.connect(1, seen: 1)
        #expect(rig.starts.isEmpty)
        rig.tick(seconds: 10)
        #expect(rig.starts.isEmpty, "the clock may be a tick behind: a back-off is never shorter than it says")
        rig.tick(seconds: 1)
        #expect(rig.starts == [2])
        rig.finish(2)
        #expect(rig.starts == [3] && rig.job("a").outcome == .success)
    }

    @Test func aJobIsInItsRunsGroupAnyway() {
        var rig = Rig()
        rig.connect()
        var job = Make.job("a")
        job.concurrency = ConcurrencyPlan(group: "g")
        _ = run(&rig, ConcurrencyPlan(group: "g"), [job])
        #expect(rig.starts == [1])
    }

    @Test func waitingForAGroupEnds() {
        var rig = Rig()
        rig.connect()
        _ = run(&rig, ConcurrencyPlan(group: "g"))
        rig.started(1)
        let second = run(&rig, ConcurrencyPlan(group: "g"))
        rig.tick(seconds: 10)
        rig.rows.clock += EngineLimits.groupMsMax
        rig.restart()
        rig.tick(seconds: 1)
        #expect(rig.run(second).cause == .groupTimeout && rig.run(second).outcome == .failed)
    }
}
