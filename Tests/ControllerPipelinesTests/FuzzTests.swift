import ControllerCore
import ControllerPipelines
import Testing

/// SplitMix64, so that a failing case can be run again.
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

@Suite("Hostile bytes")
struct FuzzTests {
    static let seed = """
        name: "x ${{ branch }}"
        inputs: { level: { type: choice, options: [a, b], default: a }, n: { type: number } }
        env: &env { A: "${{ inputs.level }}", B: yes }
        jobs:
          build: &job
            needs: []
            if: "event == 'push' && !(inputs.n > 3) || matches(branch, 'x/**')"
            agents: { os: linux, arch: "*64" }
            timeout: 1h30m
            steps:
              - { id: one, run: make, env: { <<: *env } }
              - id: two
                needs: [one]
                run: |
                  make ${{ event }}
                if: always() && steps.one.result != 'failed'
                limits: { log: 10MiB }
          test: { <<: *job, needs: [build], checkout: { depth: 0 } }
        """

    /// Pieces that steer a mutation to interesting places.
    static let pieces = [
        "${{", "}}", "*env", "&a ", "<<: ", "? ", "- ", "[", "]", "{", "}", ": ", "\n", "\t", "'", "\"", "|", ">",
        "!x ", "%", "---\n",
        "\u{0}", "\u{FEFF}", "(", ")", "!", "&&", "needs", "steps.", "inputs[", "checkout", "~", "\\u0000",
        "99999999999999999999",
    ].map { Array($0.utf8) }

    @Test("mutations end with a plan or with findings", arguments: 0..<8)
    func mutations(lane: Int) {
        var random = Seeded(state: UInt64(lane) &+ 20_261_121)
        let original = Array(Self.seed.utf8)
        for round in 0..<250 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let place = Int.random(in: 0..<max(bytes.count, 1), using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.insert(contentsOf: Self.pieces.randomElement(using: &random) ?? [], at: place)
                case 2: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...20, using: &random)))
                case 3: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 40)], at: 0)
                default: bytes = Array(bytes[..<max(place, 1)])
                }
                if bytes.isEmpty { bytes = [10] }
            }
            let context = CompileContext(event: "push", branch: "main", repository: repository)
            let outcome = PipelineCompiler.compile(bytes, file: "f", context: context)
            let hasErrors = outcome.diagnostics.contains { $0.severity == .error }
            #expect((outcome.plan == nil) == hasErrors, "lane \(lane), round \(round)")
            for diagnostic in outcome.diagnostics {
                #expect(diagnostic.line >= 1 && diagnostic.column >= 1, "lane \(lane), round \(round)")
            }
            if let plan = outcome.plan {
                for step in plan.jobs.flatMap(\.steps) {
                    _ = ConditionRule.holds(step.condition, in: plan.expressionContext(job: plan.jobs[0]))
                }
                #expect(plan == PipelineCompiler.compile(bytes, file: "f", context: context).plan)
            }
        }
    }

    @Test("random expressions end")
    func expressions() {
        var random = Seeded(state: 7)
        let words = [
            "event", "inputs.n", "'a'", "5", "(", ")", "!", "&&", "||", "==", "<", "[", "]", ".", ",", "success()",
            "matches(", "null",
            "-", "\"", "é", "needs.a.result", " ",
        ]
        for _ in 0..<500 {
            let text = (0..<Int.random(in: 1...12, using: &random)).map { _ in words.randomElement(using: &random) ?? ""
            }
            .joined(separator: " ")
            let source = "inputs: { n: { type: number } }\nsteps:\n  - run: a\n    if: |\n      \(text)\n"
            let outcome = PipelineCompiler.compile(source, file: "", context: CompileContext())
            #expect((outcome.plan == nil) == !outcome.diagnostics.isEmpty)
        }
    }
}
