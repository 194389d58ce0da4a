import ControllerCore
import ControllerPipelines
import Testing

@Suite("Expressions")
struct ExpressionTests {
    static let context = ExpressionContext(
        facts: RunFacts(event: "push", ref: "refs/heads/release/1.2", branch: "release/1.2"),
        inputs: ["level": "debug", "n": .number(5), "dry": true, "which": "level"], environment: ["A": "a b"],
        needs: ["build": "success", "lint": "failed"], steps: ["one": "success"])

    static let table: [(String, Bool)] = [
        ("true", true), ("false", false), ("!false", true), ("!!true", true), ("true && false", false),
        ("false || true", true), ("true || false && false", true), ("(true || false) && false", false),
        ("event == 'push'", true), ("event != \"push\"", false), ("branch == 'Release/1.2'", false),
        ("'it''s' == \"it's\"", true),
        ("tag == null", true), ("tag == ''", false), ("tag != ''", true), ("null == null", true),
        ("branch == null", false),
        ("inputs.n == 5", true), ("inputs.n == 5.0", true), ("inputs.n > -1", true), ("inputs.n >= 5", true),
        ("inputs.n < 5", false), ("inputs.n <= 4.5", false), ("'a' < 'b'", true), ("'b' <= 'a'", false),
        ("inputs.dry", true), ("!inputs.dry", false), ("inputs.dry == true", true),
        ("inputs['level'] == 'debug'", true),
        ("inputs[inputs.which] == 'debug'", true), ("inputs[env.NONE] == null", true), ("inputs[inputs.which]", false),
        ("inputs.level < inputs[inputs.which]", false), ("inputs.n < inputs[inputs.which]", false),
        ("env.A == 'a b'", true), ("env.B == null", true), ("contains(env.A, ' ')", true),
        ("contains(tag, 'x')", false),
        ("contains(branch, '')", true), ("starts_with(branch, 'release/')", true), ("ends_with(ref, '.2')", true),
        ("matches(branch, 'release/*')", true), ("matches(branch, '*')", false), ("matches(branch, '**')", true),
        ("matches(tag, '**')", false), ("needs.build.result == 'success'", true),
        ("needs['lint'].result == 'failed'", true),
        ("success()", true), ("failure()", false), ("always()", true), ("!success()", false),
        ("success() && branch != 'main'", true),
    ]

    private func parse(_ text: String) throws -> Expression {
        let source = """
            inputs:
              level: { type: choice, options: [debug, release] }
              n: { type: number }
              dry: { type: boolean }
              which: { type: text }
            jobs:
              build: { steps: [{ run: a }] }
              lint: { steps: [{ run: a }] }
              it:
                needs: [build, lint]
                if: |
                  \(text)
                steps: [{ run: a }]
            """
        return try #require(try plan(source).jobs[2].condition)
    }

    @Test("values", arguments: table)
    func values(text: String, expected: Bool) throws {
        #expect(try parse(text).evaluate(in: Self.context).isTrue == expected)
    }

    @Test("the whole condition may stand in `${{ }}`")
    func wrapped() throws {
        let plan = try plan("steps: [{ run: a, if: \"${{ event == 'push' }}\" }, { run: b, if: false }]")
        #expect(plan.jobs[0].steps[0].condition?.evaluate(in: Self.context) == true)
        #expect(plan.jobs[0].steps[1].condition == .literal(false))
    }

    @Test("an implied success()")
    func impliedSuccess() throws {
        var failed = Self.context
        failed.success = false
        failed.failure = true
        #expect(ConditionRule.holds(nil, in: Self.context))
        #expect(!ConditionRule.holds(nil, in: failed))
        let table: [(String, status: Bool, good: Bool, bad: Bool)] = [
            ("event == 'push'", false, true, false), ("event == 'tag'", false, false, false),
            ("always()", true, true, true),
            ("failure()", true, false, true), ("event == 'push' && (tag != '' && !success())", true, false, true),
            ("failure() || event == 'push'", true, true, true),
        ]
        for (text, status, good, bad) in table {
            let condition = try parse(text)
            #expect(condition.callsStatusFunction == status, "\(text)")
            #expect(ConditionRule.holds(condition, in: Self.context) == good, "\(text)")
            #expect(ConditionRule.holds(condition, in: failed) == bad, "\(text)")
        }
    }

    @Test("an expression that is deeper than the parser makes them is cut, not followed")
    func deep() {
        var deep = Expression.literal(true)
        for _ in 0..<1001 { deep = .not(deep) }
        // Followed to its end this would be false; what lies below the limit counts as null.
        let levels = PlanLimits.expressionDepthMax * 4 + 1
        #expect(deep.evaluate(in: Self.context) == .boolean(levels % 2 == 1))
    }

    @Test("the deepest allowed expression is evaluated to its end")
    func deepest() throws {
        let depth = PlanLimits.expressionDepthMax
        let text =
            String(repeating: "false || true && (", count: depth) + "event == 'push'"
            + String(repeating: ")", count: depth)
        #expect(try parse(text).evaluate(in: Self.context) == true)
        let no = text.replacing("'push'", with: "'tag'")
        #expect(try parse(no).evaluate(in: Self.context) == false)
    }

    @Test("how values are written into texts")
    func texts() {
        let values: [(ExpressionValue, String)] = [
            (.null, ""), (true, "true"), (.number(5), "5"), (.number(-0.5), "-0.5"), (.number(1e300), "1e+300"),
            ("x", "x"),
        ]
        for (value, text) in values { #expect(value.text == text) }
    }
}
