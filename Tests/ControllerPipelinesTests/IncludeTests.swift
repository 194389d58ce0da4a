import AnsFlowProtocol
import ControllerCore
import ControllerPipelines
import Testing

@Suite("Included files", .enabled(if: allWordsAreOn))
struct IncludeTests {
    static let common = """
        inputs: { level: { type: text, default: x } }
        env: { A: common, B: common }
        defaults: { timeout: 7m, shell: bash }
        jobs:
          lint: { steps: [{ run: lint }] }
        """

    static let refused: [(String, [String: String])] = [
        ("include: missing.yml\nsteps: [{ run: a }]\n", [:]),
        ("include: a.yml\n", ["a.yml": "include: b.yml\n", "b.yml": "include: a.yml\n"]),
    ]

    private func diagnostics(_ source: String, _ includes: [String: String] = [:]) -> [String] {
        PipelineCompiler.validate(source, file: ".ansflow.yml", includes: includes).diagnostics.map {
            "\($0.file):\($0.short)"
        }
    }

    @Test("jobs, inputs, variables and defaults are added")
    func merged() throws {
        let source = """
            include: [ci/common.yml, { local: ./ci/more.yml }]
            env: { A: own }
            defaults: { timeout: 9m }
            jobs:
              build: { needs: lint, steps: [{ run: make, if: inputs.level == 'x' }] }
            """
        let includes = [
            "ci/common.yml": Self.common,
            "ci/more.yml": "include: ci/common.yml\nenv: { B: more }\njobs: { more: { steps: [{ run: m }] } }\n",
        ]
        #expect(PipelineCompiler.includes(of: source) == ["ci/common.yml", "./ci/more.yml"])
        let outcome = PipelineCompiler.compile(
            source, file: ".ansflow.yml", includes: includes, context: CompileContext())
        let plan = try #require(outcome.plan, "\(outcome.diagnostics)")
        #expect(plan.jobs.map(\.id) == ["build", "lint", "more"])
        #expect(plan.environment == ["A": "own", "B": "more"])
        #expect(plan.inputs.map(\.name) == ["level"])
        #expect(plan.jobs[0].steps[0].timeoutMs == 540_000)
        #expect(plan.jobs[0].steps[0].action == .run(commands: ["make"], shell: .bash))
        let only = PipelineCompiler.compile(
            "include: ci/common.yml", file: ".ansflow.yml", includes: includes, context: CompileContext())
        #expect(only.plan?.jobs.map(\.id) == ["lint"])
    }

    @Test("faults are located in their file")
    func faults() {
        #expect(diagnostics(Self.refused[0].0) == [".ansflow.yml:1:10 include_failed include"])
        #expect(
            diagnostics(Self.refused[1].0, Self.refused[1].1) == ["b.yml:1:10 include_cycle include"])
        #expect(
            diagnostics("include: ../x.yml\nsteps: [{ run: a }]\n") == [".ansflow.yml:1:10 include_failed include"])
        let bad = "on: push\njobs:\n  build: { steps: [{ rum: a }] }\n  b: [\n"
        #expect(
            diagnostics("include: a.yml\njobs: { c: { steps: [] } }\n", ["a.yml": bad]) == [
                ".ansflow.yml:2:21 invalid_value jobs.c.steps", "a.yml:5:1 yaml_syntax",
            ])
        let twice = "on: push\njobs:\n  c: { steps: [{ rum: a }] }\n"
        #expect(
            diagnostics("include: a.yml\njobs: { c: { steps: [{ run: a }] } }\n", ["a.yml": twice]) == [
                "a.yml:1:1 unknown_word on", "a.yml:3:3 duplicate_id jobs.c", "a.yml:3:16 missing_word jobs.c.steps[0]",
                "a.yml:3:18 unknown_word jobs.c.steps[0].rum",
            ])
        #expect(diagnostics("include: a.yml\n", ["a.yml": ""]) == ["a.yml:1:1 empty_file"])
    }
}
