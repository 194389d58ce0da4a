import AnsFlowProtocol
import ControllerCore
import Testing

@Suite struct RerunTests {
    static let jobs = [
        Make.job("a"), Make.job("b", needs: ["a"]), Make.job("c", needs: ["b"]), Make.job("d"),
    ]

    private func detail(_ rig: Rig, _ run: RunID = 1) -> RunDetail {
        let rows = rig.rows
        return RunDetail(
            run: rows.runs[run]!, plan: rows.plans[run]!, jobs: rows.jobs.values.filter { $0.run == run },
            steps: rows.steps.values.filter { $0.run == run },
            jobAttempts: rows.jobAttempts.values.filter { $0.run == run },
            attempts: rows.attempts.values.filter { $0.run == run }, agentNames: [:])
    }

    private func request(_ rig: Rig, _ mode: Rerun.Mode) -> Result<RunRequest, Rerun.Refusal> {
        Rerun.request(of: detail(rig), pipeline: Make.request([]).pipeline, mode: mode, actor: "me")
    }

    /// `b` fails, `c` is skipped, `a` and `d` are fine.
    private func failed() -> Rig {
        var rig = Rig()
        rig.connect()
        rig.create(Self.jobs)
        rig.finish(1, outputs: ["x": "1"])
        while let attempt = rig.rows.attempts.values.filter({ $0.outcome == nil }).map(\.id).min() {
            let name = rig.rows.jobs.values.first { $0.id == rig.rows.attempts[attempt]!.job }!.name
            rig.finish(attempt, name == "b" ? .failed : .success)
        }
        #expect(rig.run(1).outcome == .failed)
        return rig
    }

    @Test func whatFailedAndWhatNeedsItIsDoneAgain() throws {
        var rig = failed()
        let request = try request(rig, .failed).get()
        #expect(Set(request.origin!.carried.keys) == ["a", "d"])
        #expect(request.origin?.carried["a"]?.outputs == ["x": "1"])
        _ = rig.group { $0.createRun(request) }
        let run: RunID = 2
        #expect(rig.run(run).origin == 1 && rig.run(run).rerun == .failed)
        let carried = rig.job("a", of: run)
        #expect(carried.outcome == .success && carried.cause == .reused && carried.carriedFrom == 1)
        #expect(carried.carriedOutputs == ["x": "1"] && carried.message == "taken over from run 1")
        #expect(rig.step("a1", of: run).outcome == .success && rig.step("a1", of: run).attempts == 0)
        #expect(rig.job("b", of: run).phase == .running && rig.job("c", of: run).phase == .blocked)
        rig.restart()
        rig.connect(1, seen: 3)
        for _ in 0..<2 {
            let live = rig.rows.attempts.values.first { $0.run == run && $0.outcome == nil }!
            rig.finish(live.id)
        }
        #expect(rig.run(run).outcome == .success)
        // A rerun of the rerun takes over from the first run.
        let again = try Rerun.request(
            of: detail(rig, run), pipeline: request.pipeline, mode: .from(job: "c", step: "c1"), actor: "me"
        ).get()
        #expect(again.origin?.carried["a"]?.attempt == 1 && again.origin?.carried["a"]?.outputs == ["x": "1"])
    }

    @Test func allAndFromOneJob() throws {
        let rig = failed()
        #expect(try request(rig, .all).get().origin?.carried.isEmpty ?? false)
        let from = try request(rig, .from(job: "b", step: nil)).get()
        #expect(Set(from.origin!.carried.keys) == ["a", "d"])
        let other = try request(rig, .from(job: "d", step: nil)).get()
        #expect(other.origin?.carried["b"]?.outcome == .failed)
        #expect(other.origin?.carried["c"]?.cause == .upstreamFailed)
    }

    @Test func refusalsNameTheCure() {
        let rig = failed()
        func text(_ mode: Rerun.Mode) -> String {
            guard case .failure(let refusal) = request(rig, mode) else { return "" }
            return refusal.description
        }
        #expect(
            text(.from(job: "c", step: nil)) == "Job c needs b, which did not end well; rerun from b, or what failed.")
        #expect(text(.from(job: "z", step: nil)) == "Run 1 has no job z.")
        #expect(text(.from(job: "b", step: "z")) == "Job b of run 1 has no step z.")
        var fine = Rig()
        fine.connect()
        fine.create([Make.job("a")])
        guard case .failure(let early) = request(fine, .all) else {
            Issue.record("a run that has not ended was done again")
            return
        }
        #expect(early.description.contains("has not ended"))
        fine.finish(1)
        guard case .failure(let none) = request(fine, .failed) else {
            Issue.record("nothing had failed")
            return
        }
        #expect(none.description == "No job of run 1 failed; rerun all of it.")
    }

    @Test func everythingTakenOverEndsAtOnce() throws {
        var rig = failed()
        var request = try request(rig, .all).get()
        for name in ["a", "b", "c", "d"] { request.origin?.carried[name] = CarriedJob(outcome: .success) }
        _ = rig.group { $0.createRun(request) }
        #expect(rig.run(2).outcome == .success && rig.rows.events[2]?.count ?? 0 > 0)
    }
}
