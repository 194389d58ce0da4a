import ControllerCore
import ControllerPipelines
import Testing

@Suite("Files that are refused")
struct InvalidTests {
    @Test(
        "all findings, with their places", arguments: allFixtures)
    func fixtures(_ fixture: InvalidFixture) {
        let (definition, diagnostics) = PipelineCompiler.validate(fixture.source, file: "f.yml")
        #expect(diagnostics.map(\.short) == fixture.expected)
        #expect(definition == nil)
        for diagnostic in diagnostics {
            #expect(diagnostic.file == "f.yml")
            #expect((diagnostic.endLine, diagnostic.endColumn) >= (diagnostic.line, diagnostic.column))
            #expect(diagnostic.message.first?.isLowercase == false, "\(diagnostic.message)")
            #expect(diagnostic.message.hasSuffix("."), "\(diagnostic.message)")
            #expect(diagnostic.hint?.isEmpty != true)
        }
    }

    @Test("every code is reached", .enabled(if: allWordsAreOn))
    func codes() {
        var reached = Set<DiagnosticCode>()
        for fixture in allFixtures {
            reached.formUnion(PipelineCompiler.validate(fixture.source, file: "").diagnostics.map(\.code))
        }
        for (_, source) in YamlTests.bombs {
            reached.formUnion(PipelineCompiler.validate(source, file: "").diagnostics.map(\.code))
        }
        for (source, includes) in IncludeTests.refused {
            reached.formUnion(
                PipelineCompiler.validate(source, file: ".ansflow.yml", includes: includes).diagnostics.map(\.code))
        }
        for (source, context, _) in CompileTests.refused {
            reached.formUnion(PipelineCompiler.compile(source, file: "", context: context).diagnostics.map(\.code))
        }
        let missing = Set(DiagnosticCode.allCases).subtracting(reached).map(\.rawValue).sorted()
        #expect(missing == [])
    }

    @Test(
        "hints",
        arguments: [
            ("steps:\n  - run: make\n    timeuot: 5m\n", "Did you mean `timeout`?"),
            ("steps: [{ run: a, allow-failure: true }]\n", "Did you mean `allow_failure`?"),
            ("jobs: { a: { shell: sh, steps: [{ run: a }] } }\n", "It belongs to a step."),
            ("rules: []\nsteps: [{ run: a }]\n", "Use `when`, a list of filters of which one must fit, or `if`."),
            ("steps: [{ run: \"echo ${{ inputs.dry-run }}\" }]\n", "Use the variable: \"$ANSFLOW_INPUT_DRY_RUN\"."),
            ("steps: [{ run: \"echo ${{ branch }}\" }]\n", "Use the variable: \"$ANSFLOW_BRANCH\"."),
            ("env: { arch: [${{ x }}] }\nsteps: [{ run: a }]\n", "Put the value into quotes: \"${{ … }}\"."),
            (
                "jobs: { build: { steps: [{ run: a }] }, t: { needs: biuld, steps: [{ run: a }] } }\n",
                "Did you mean `build`?"
            ),
            ("steps: [{ run: a, timeout: 30 }]\n", "Add the unit."),
            ("steps: [{ run: a, allow_failure: yes }]\n", "Write `true` without quotes."),
            (
                "steps: [{ run: a, if: github.ref == 'x' }]\n",
                "AnsFlow's names stand alone: `branch`, `ref`, `commit`, `event`."
            ),
            ("steps: [{ run: a, if: a and b }]\n", "Use `&&`, `||` and `!`."),
        ])
    func hints(source: String, hint: String) {
        let diagnostics = PipelineCompiler.validate(source, file: "").diagnostics
        #expect(diagnostics.contains { $0.hint == hint }, "\(diagnostics)")
    }

    @Test("a cycle names its path")
    func cyclePath() {
        let source = """
            jobs:
              a: { needs: [c], steps: [{ run: a }] }
              b: { needs: [a], steps: [{ run: a }] }
              c: { needs: [b], steps: [{ run: a }] }
            """
        let diagnostics = PipelineCompiler.validate(source, file: "").diagnostics
        #expect(
            diagnostics.map(\.message) == [
                "These jobs need each other in a circle: `a` needs `c` needs `b` needs `a`."
            ])
    }

    @Test("ends of places")
    func ends() throws {
        let source = "steps:\n  - run: make\n    timeout: 99h\n  - name: x\n    env:\n      A: b\n\n\n"
        let diagnostics = PipelineCompiler.validate(source, file: "").diagnostics
        try #require(diagnostics.count == 2)
        #expect([diagnostics[0].endLine, diagnostics[0].endColumn] == [3, 17])
        // A block map ends with its last value, not where the next thing begins.
        #expect([diagnostics[1].line, diagnostics[1].column] == [4, 5])
        #expect([diagnostics[1].endLine, diagnostics[1].endColumn] == [6, 11])
    }

    @Test("limits on counts")
    func counts() {
        let steps = (0..<1001).map { "      - run: echo \($0)\n" }.joined()
        #expect(findings("jobs:\n  a:\n    steps:\n\(steps)").contains { $0.contains("too_many jobs.a.steps") })
        let split = (0..<2).map { "  j\($0):\n    steps:\n" + (0..<501).map { "      - run: echo \($0)\n" }.joined() }
        #expect(findings("jobs:\n\(split.joined())").map { $0.split(separator: " ")[1] } == ["too_many"])
        let jobs = (0..<52).map { "  j\($0): { steps: [{ run: a }] }\n" }.joined()
        let needs = (0..<51).map { "j\($0)" }.joined(separator: ", ")
        #expect(
            findings("jobs:\n\(jobs)  last: { needs: [\(needs)], steps: [{ run: a }] }\n") == [
                "54:18 too_many jobs.last.needs"
            ])
    }
}
