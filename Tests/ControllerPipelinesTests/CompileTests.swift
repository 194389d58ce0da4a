import AnsFlowProtocol
import ControllerCore
import ControllerPipelines
import Testing

@Suite("Compiling for a run")
struct CompileTests {
    static let inputs = """
        inputs:
          level: { type: choice, options: [debug, release], default: debug }
          count: { type: number }
          dry: { type: boolean, default: true }
          who: { type: text, required: true }
        steps: [{ run: make }]
        """

    static let refused: [(String, CompileContext, [String])] = [
        (inputs, CompileContext(), ["5:3 input_missing inputs.who"]),
        (inputs, CompileContext(inputs: ["who": .text("x"), "levle": .text("debug")]), ["1:1 input_unknown inputs"]),
        (
            inputs, CompileContext(inputs: ["who": .text("x"), "level": .text("relase")]),
            ["2:3 input_invalid inputs.level"]
        ),
        (
            inputs, CompileContext(inputs: ["who": .number(5), "count": .boolean(true), "dry": .text("yes")]),
            ["3:3 input_invalid inputs.count", "4:3 input_invalid inputs.dry", "5:3 input_invalid inputs.who"]
        ),
        (
            inputs, CompileContext(inputs: ["who": .text(String(repeating: "x", count: 20_000))]),
            ["5:3 input_invalid inputs.who"]
        ),
        (
            inputs, CompileContext(inputs: ["who": .text("a\u{0}b"), "count": .number(.infinity)]),
            ["3:3 input_invalid inputs.count", "5:3 input_invalid inputs.who"]
        ),
        ("steps: [{ run: a }]", CompileContext(repository: "ext::sh -c x"), ["1:1 repository_invalid repository"]),
        (
            "steps: [{ run: a }]", CompileContext(ref: "-x", branch: "a..b", tag: "", commit: "abc"),
            ["1:1 ref_invalid ref", "1:1 ref_invalid branch", "1:1 ref_invalid tag", "1:1 ref_invalid commit"]
        ),
        ("steps: [{ run: a }]", CompileContext(event: "a; rm"), ["1:1 ref_invalid event"]),
        ("agents: { x: \"${{ tag }}\" }\nsteps: [{ run: a }]", CompileContext(), ["1:14 invalid_value agents.x"]),
        (
            "inputs: { n: { type: number, default: \"${{ tag }}\" } }\nsteps: [{ run: a }]", CompileContext(tag: "v1"),
            ["1:39 input_invalid inputs.n.default"]
        ),
        (
            "env: { A: \(String(repeating: "x", count: 120_000)) }\nsteps:\n  - { run: a, env: { B: \(String(repeating: "y", count: 120_000)) } }",
            CompileContext(), ["3:5 spec_too_large steps[0]"]
        ),
        (
            "matrix: { x: [1], exclude: [{ x: 2 }], override: [{ match: { x: 3 }, priority: 1 }] }\nsteps: [{ run: a }]",
            CompileContext(), ["1:29 matrix_unused matrix.exclude[0]", "1:60 matrix_unused matrix.override[0].match"]
        ),
        ("checkout: { depth: 0 }\nsteps: [{ run: a }]", CompileContext(), ["2:1 no_repository"]),
        (
            "timeout: 5m\njobs: { a: { timeout: 5m, steps: [{ run: a, timeout: 6m }] } }", CompileContext(),
            ["2:35 timeout_unreachable jobs.a.steps[0]"]
        ),
    ]

    @Test("what is given is judged", arguments: refused.indices)
    func given(index: Int) {
        let (source, context, expected) = Self.refused[index]
        let outcome = PipelineCompiler.compile(source, file: "", context: context)
        #expect(outcome.diagnostics.map(\.short) == expected)
        let isRight = outcome.diagnostics.allSatisfy { $0.severity == .warning }
        #expect((outcome.plan != nil) == isRight)
        if let plan = outcome.plan { #expect(plan.warnings == outcome.diagnostics) }
    }

    @Test("inputs become values and variables")
    func inputValues() throws {
        let context = CompileContext(
            event: "manual", branch: "main", commit: String(repeating: "a", count: 40),
            inputs: ["who": .text("me"), "count": .text("5"), "dry": .text("false")])
        let plan = try plan(Self.inputs, context)
        #expect(plan.inputs.map(\.value) == [.text("debug"), .number(5), .boolean(false), .text("me")])
        #expect(
            plan.standardVariables == [
                "CI": "true", "ANSFLOW": "true", "ANSFLOW_PIPELINE": "pipeline", "ANSFLOW_EVENT": "manual",
                "ANSFLOW_BRANCH": "main", "ANSFLOW_COMMIT": String(repeating: "a", count: 40),
                "ANSFLOW_INPUT_LEVEL": "debug", "ANSFLOW_INPUT_COUNT": "5", "ANSFLOW_INPUT_DRY": "false",
                "ANSFLOW_INPUT_WHO": "me",
            ])
    }

    @Test("texts are filled in, and can't become YAML")
    func interpolation() throws {
        let source = """
            name: "run of ${{ branch }}"
            inputs: { level: { type: text, default: "for ${{ event }}" } }
            env: { LEVEL: "${{ inputs.level }}", NONE: "[${{ tag }}]" }
            jobs:
              a:
                name: "$${{ literal }} ${{ env.LEVEL }}"
                agents: { arch: "x-${{ inputs.level }}" }
                env: { INNER: "${{ env.LEVEL }}!", IS: "${{ branch == 'main' }}" }
                steps:
                  - name: "${{ env.INNER }}"
                    env: { LAST: "${{ env.INNER }}${{ env.INNER }}" }
                    run: "echo ${{ event }} ${{ commit }}."
            """
        let evil = "x\", evil: { run: \"y"
        let plan = try plan(source, CompileContext(branch: "main", inputs: ["level": .text(evil)]))
        #expect(plan.name == "run of main")
        #expect(plan.environment == ["LEVEL": evil, "NONE": "[]"])
        #expect(plan.jobs[0].name == "${{ literal }} \(evil)")
        #expect(plan.jobs[0].agentLabels == ["arch": "x-\(evil)"])
        #expect(plan.jobs[0].environment == ["INNER": "\(evil)!", "IS": "true"])
        let step = plan.jobs[0].steps[0]
        #expect(step.name == "\(evil)!")
        #expect(step.environment == ["LAST": "\(evil)!\(evil)!"])
        #expect(step.action == .run(commands: ["echo manual ."], shell: .sh))
        #expect(
            plan.environment(of: step, in: plan.jobs[0]) == [
                "LEVEL": evil, "NONE": "[]", "INNER": "\(evil)!", "IS": "true", "LAST": "\(evil)!\(evil)!",
            ])
        #expect(try compiledForPush(source).inputs[0].value == .text("for push"))
    }

    private func compiledForPush(_ source: String) throws -> RunPlan {
        try plan(source, CompileContext(event: "push", branch: "main"))
    }

    @Test("texts that grow when they are filled in have a limit")
    func amplification() {
        let many = String(repeating: "${{ inputs.x }}", count: 2000)
        let env = (0..<100).map { "  V\($0): \"\(many.prefix(15 * 400))\"\n" }.joined()
        let source = "inputs: { x: { type: text } }\nenv:\n\(env)steps: [{ run: a }]\n"
        let context = CompileContext(inputs: ["x": .text(String(repeating: "x", count: 16_000))])
        let outcome = PipelineCompiler.compile(source, file: "", context: context)
        #expect(outcome.plan == nil)
        #expect(outcome.diagnostics.allSatisfy { $0.code == .specTooLarge } && !outcome.diagnostics.isEmpty)
    }

    @Test("names where the file gives none")
    func names() throws {
        let plan = try plan(
            "steps:\n  - run: |\n\n      make all\n      make test\n  - { id: step-1, run: a }\n  - run: \(String(repeating: "w", count: 80))\n",
            CompileContext(pipelineName: "stored"))
        #expect(plan.name == "stored")
        #expect(plan.jobs[0].steps.map(\.id) == ["step-1-x", "step-1", "step-3"])
        #expect(plan.jobs[0].steps.map(\.name) == ["make all", "step-1", String(repeating: "w", count: 59) + "…"])
    }

    @Test("defaults and their order")
    func defaults() throws {
        let plan = try plan(
            """
            timeout: 10h
            defaults: { timeout: 7m }
            jobs:
              a:
                timeout: 30m
                limits: { log: 1MiB }
                allow_failure: true
                parallel: 2
                steps:
                  - { run: a }
                  - { run: b, timeout: 1h30m, limits: { log: 2KiB }, continue-on-error: true, shell: bash }
              b: { depends_on: a, runs-on: { os: linux }, steps: [{ commands: [x, y] }] }
            """)
        #expect(plan.timeoutMs == 36_000_000)
        let a = plan.jobs[0]
        #expect([a.timeoutMs, a.steps[0].timeoutMs, a.steps[1].timeoutMs] == [1_800_000, 420_000, 5_400_000])
        #expect(a.steps.map(\.logLimitBytes) == [1_048_576, 2048])
        #expect(a.allowFailure == .always && a.steps[1].allowFailure == .always && a.steps[0].allowFailure == .never)
        #expect(a.parallel == 2)
        #expect(a.steps[1].action == .run(commands: ["b"], shell: .bash))
        let b = plan.jobs[1]
        #expect(b.needs == ["a"] && b.agentLabels == ["os": "linux"])
        #expect(b.timeoutMs == PlanLimits.jobTimeoutMsDefault && b.parallel == 4)
        #expect(b.steps[0].action == .run(commands: ["x", "y"], shell: .sh))
        #expect(b.steps[0].logLimitBytes == PlanLimits.logBytesDefault && b.steps[0].graceMs == 10_000)
        #expect(plan.warnings.map(\.code) == [.timeoutUnreachable])
        let other = try compiled("tags: [os=linux, gpu=none]\nsteps: [{ run: a }]")
        #expect(other.jobs[0].agentLabels == ["os": "linux", "gpu": "none"])
        #expect(other.jobs[0].id == "main")
        #expect(other.jobs[0].steps[0].timeoutMs == PlanLimits.stepTimeoutMsDefault)
    }

    private func compiled(_ source: String) throws -> RunPlan { try plan(source) }
}
