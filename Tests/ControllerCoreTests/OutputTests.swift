import AnsFlowProtocol
import ControllerCore
import Testing

/// What steps hand on: outputs, results, and variables that are only known when a step starts.
@Suite struct OutputTests {
    private func expression(_ root: Expression.Root, _ keys: String...) -> PlanText.Part {
        .expression(.name(root, keys.map { .literal(.text($0)) }))
    }

    private func cell(_ value: String) -> JobPlan {
        JobPlan(
            id: "build[arch=\(value)]", group: "build", matrix: [MatrixValue(axis: "the-arch", value: .text(value))],
            steps: [Make.step("s")])
    }

    private func start(_ rig: Rig) -> StepSpec? {
        rig.messages.compactMap { if case .start(let start) = $0 { start.spec } else { nil } }.first
    }

    @Test func outputsReachLaterStepsAndJobs() {
        var rig = Rig(slots: 4)
        var second = Make.step("t", needs: ["s"])
        second.lateEnvironment = [
            "FROM": PlanText(parts: [.text("<"), expression(.steps, "s", "outputs", "x"), .text(">")])
        ]
        var last = Make.job("deploy")
        last.needs = ["build[arch=arm]", "build[arch=amd]"]
        last.lateEnvironment = [
            "X": PlanText(parts: [expression(.needs, "build", "outputs", "x")]),
            "RESULT": PlanText(parts: [expression(.needs, "build", "result")]),
        ]
        var first = cell("arm")
        first.steps.append(second)
        rig.connect(slots: 4)
        rig.create([first, cell("amd"), last])
        #expect(start(rig)?.environment["ANSFLOW_MATRIX_THE_ARCH"] == "arm")
        rig.finish(1, outputs: ["x": "1", "y": "2"])
        #expect(start(rig)?.environment["FROM"] == "<1>")
        rig.finish(3, outputs: ["x": "3"])
        #expect(rig.rows.jobAttempts[1]?.outputs == ["x": "3", "y": "2"], "a later step's value wins")
        rig.finish(2, outputs: ["x": "4"])
        #expect(start(rig)?.environment["X"] == "4", "a later cell's value wins")
        #expect(start(rig)?.environment["RESULT"] == "success")
        // The same after a restart.
        rig.restart()
        rig.connect(1, slots: 4)
        #expect(start(rig)?.environment["X"] == "4")
    }

    @Test func theWorstCellStandsForItsGroup() {
        for (ends, word) in [
            ([AttemptResult.success, .success], "success"), ([.success, .failed], "failed"),
            ([.failed, .lost], "lost"),
        ] {
            var rig = Rig(slots: 4)
            var last = Make.job("deploy", if: Make.always)
            last.needs = ["build[arch=arm]", "build[arch=amd]"]
            last.lateEnvironment = ["RESULT": PlanText(parts: [expression(.needs, "build", "result")])]
            rig.connect(slots: 4)
            rig.create([cell("arm"), cell("amd"), last])
            rig.finish(1, ends[0])
            rig.finish(2, ends[1], ends[1] == .lost ? .agentLost : .exit)
            #expect(start(rig)?.environment["RESULT"] == word)
        }
    }

    @Test func tooLargeIsAnErrorWithAReason() {
        var rig = Rig()
        var step = Make.step("t", needs: ["s"])
        step.lateEnvironment = [
            "A": PlanText(parts: [expression(.steps, "s", "outputs", "x"), expression(.steps, "s", "outputs", "x")])
        ]
        rig.connect()
        rig.create([Make.job("a", [Make.step("s"), step])])
        rig.finish(1, outputs: ["x": String(repeating: "y", count: 40_000)])
        let row = rig.step("t")
        #expect(row.outcome == .error && row.cause == .config && row.attempts == 0)
        #expect(row.message?.contains("the variable A has more than 65536 bytes") ?? false)
        #expect(rig.run(1).outcome == .failed && rig.run(1).phase == .finished)
        var many = Make.step("t", needs: ["s"])
        for index in 0..<8 {
            many.lateEnvironment["V\(index)"] = PlanText(parts: [expression(.steps, "s", "outputs", "x")])
        }
        rig.create([Make.job("a", [Make.step("s"), many])])
        rig.finish(2, outputs: ["x": String(repeating: "y", count: 40_000)])
        #expect(rig.step("t", of: 2).message?.contains("at most 229376 are allowed") ?? false)
    }

    @Test func theRunsAddressIsGivenWhereItIsKnown() {
        for url in [nil, "https://ci.example"] {
            var rig = Rig()
            rig.machine.publicURL = url
            rig.connect()
            rig.create([Make.job("a")])
            #expect(start(rig)?.environment["ANSFLOW_RUN_URL"] == url.map { "\($0)/api/v1/pipeline-runs/1" })
        }
    }

    /// A step of a large job costs no more than one of a small job.
    @Test func aThousandStepsAreQuick() {
        let steps = (0..<1_000).map { Make.step("s\($0)", needs: $0 == 0 ? [] : ["s\($0 - 1)"]) }
        var story = Story([Make.job("a", parallel: 1, steps)])
        story.happen(.assign(0))
        let clock = ContinuousClock()
        let took = clock.measure {
            while !story.run.isFinished, let place = story.run.jobs[0].steps.firstIndex(where: { $0.isLive }) {
                story.finish(StepPlace(job: 0, step: place))
            }
        }
        #expect(story.run.row.outcome == .success)
        #expect(took < .seconds(5), "\(took)")
    }
}
