import AnsFlowProtocol
import ControllerCore
import ControllerPipelines
import Testing

@Suite("YAML")
struct YamlTests {
    /// Texts that make other readers slow or stop them.
    static let bombs: [(String, String)] = [
        ("alias_expansion", billionLaughs), ("yaml_depth", String(repeating: "[", count: 5000)),
        ("yaml_depth", String(repeating: "{a: ", count: 70) + String(repeating: "}", count: 70)),
        ("yaml_depth", String(repeating: "- ", count: 100) + "a"),
        ("yaml_nodes", "steps: [" + String(repeating: "a,", count: 100_001) + "]"),
        ("file_too_large", "#" + String(repeating: "x", count: 1024 * 1024)),
        ("alias_cycle", "a: &a { b: *a }"), ("alias_cycle", "x: &a [[*a]]"),
        ("not_utf8", "name: a\u{0}b"),
        ("more_errors", (0..<300).map { "unknown\($0): x\n" }.joined()),
        ("yaml_depth", nestedAliases),
    ]

    static let billionLaughs: String = {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1..<10 {
            let alias = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(alias)]\n"
        }
        return text
    }()

    /// Each level is shallow in the text and one deeper when expanded.
    static let nestedAliases: String = {
        var text = "a0: &a0 [x]\n"
        for level in 1..<100 { text += "a\(level): &a\(level) [*a\(level - 1)]\n" }
        return text
    }()

    @Test("bombs are refused quickly", arguments: bombs)
    func bomb(code: String, source: String) {
        let clock = ContinuousClock()
        var codes: [String] = []
        let time = clock.measure {
            codes = PipelineCompiler.validate(source, file: "").diagnostics.map(\.code.rawValue)
        }
        #expect(codes.contains(code), "\(codes.prefix(5))")
        #expect(codes.count <= PlanLimits.diagnosticsMax + 1)
        #expect(time < .seconds(20))
    }

    @Test(
        "an alias as a key, in every place",
        arguments: ["{ *a : b }", "{ &a k: v, *a : b }", "[{ *a : b }]", "{ ? *a : b }"])
    func aliasAsKey(text: String) {
        let source = "name: &a x\nenv: \(text)\nsteps: [{ run: a }]\n"
        let codes = PipelineCompiler.validate(source, file: "").diagnostics.map(\.code)
        #expect(codes.contains(.keyNotText), "\(codes)")
    }

    @Test("depth 64 is allowed, 65 is not")
    func depth() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(!findings(nested(64)).contains { $0.contains("yaml_depth") })
        #expect(findings(nested(65)).contains { $0.contains("yaml_depth") })
    }

    @Test("bytes that are no text")
    func notUTF8() {
        let diagnostics = PipelineCompiler.validate([110, 10, 0xFF, 0xFE], file: "").diagnostics
        #expect(diagnostics.map(\.short) == ["2:1 not_utf8"])
    }

    @Test("a byte order mark is allowed")
    func byteOrderMark() throws {
        #expect(try plan("\u{FEFF}steps: [{ run: make }]\n").jobs.count == 1)
    }

    @Test("texts stay as they are written")
    func scalars() throws {
        let plan = try plan(
            """
            name: 3.10
            env: { A: 1.0, B: yes, C: on, D: 0x10, E: true, F: 010, G: "null", H: "", I: 2026-11-21 }
            agents: { version: 3.10 }
            steps: [{ run: 42 }]
            """)
        #expect(plan.name == "3.10")
        #expect(
            plan.environment == [
                "A": "1.0", "B": "yes", "C": "on", "D": "0x10", "E": "true", "F": "010", "G": "null", "H": "",
                "I": "2026-11-21",
            ])
        #expect(plan.jobs[0].agentLabels == ["version": "3.10"])
        #expect(plan.jobs[0].steps[0].action == .run(commands: ["42"], shell: .sh))
    }

    @Test("anchors, aliases and merge keys")
    func aliases() throws {
        let plan = try plan(
            """
            jobs:
              a: &job
                env: &env { A: a, B: b }
                timeout: 5h
                steps: &steps [{ run: one }, { run: two }]
              b:
                <<: *job
                env: { <<: [*env, { B: hidden, C: c }], A: own }
              c: { steps: *steps }
            """)
        #expect(plan.jobs.map(\.id) == ["a", "b", "c"])
        #expect(plan.jobs[1].environment == ["A": "own", "B": "b", "C": "c"])
        #expect(plan.jobs[1].timeoutMs == 18_000_000)
        #expect(plan.jobs[1].steps == plan.jobs[0].steps)
        #expect(plan.jobs[2].steps == plan.jobs[0].steps)
    }

    @Test("a finding in an anchor is reported once")
    func once() {
        let source = "jobs:\n  a: &a { steps: [{ run: x, timout: 5m }] }\n  b: *a\n  c: *a\n"
        #expect(findings(source) == ["2:29 unknown_word jobs.a.steps[0].timout"])
    }
}
