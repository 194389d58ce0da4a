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
    /// Pieces that steer a mutation to interesting places.
    static let pieces = [
        "${{", "}}", "*env", "&a ", "<<: ", "? ", "- ", "[", "]", "{", "}", ": ", "\n", "\t", "'", "\"", "|", ">",
        "!x ", "%", "---\n",
        "\u{0}", "\u{FEFF}", "(", ")", "!", "&&", "needs", "steps.", "inputs[", "checkout", "~", "\\u0000",
        "99999999999999999999",
    ].map { Array($0.utf8) }

    @Test("mutations end with a plan or with findings", arguments: 0..<8)
    func mutations(lane: Int) throws {
        var random = Seeded(state: UInt64(lane) &+ 20_261_121)
        let seeds =
            try Corpus.hostile().map { Array($0.utf8) } + Corpus.pipelines().values.sorted().map { Array($0.utf8) }
        for round in 0..<120 {
            var bytes = seeds[round % 3 == 0 ? Int.random(in: 0..<seeds.count, using: &random) : 0]
            if round % 3 == 1 { bytes = seeds[seeds.count - 1 - round % 5] }
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
            let includes = ["a.yml": String(decoding: seeds[round % seeds.count], as: UTF8.self)]
            let start = ContinuousClock.now
            let outcome = PipelineCompiler.compile(bytes, file: "f", includes: includes, context: context)
            // Far more than it takes; a hang would be longer.
            #expect(start.duration(to: .now) < .seconds(20), "lane \(lane), round \(round)")
            #expect(outcome.diagnostics.count <= PlanLimits.diagnosticsMax + 1)
            _ = PipelineCompiler.triggers(of: String(decoding: bytes, as: UTF8.self))
            let hasErrors = outcome.diagnostics.contains { $0.severity == .error }
            #expect((outcome.plan == nil) == hasErrors, "lane \(lane), round \(round)")
            for diagnostic in outcome.diagnostics {
                #expect(diagnostic.line >= 1 && diagnostic.column >= 1, "lane \(lane), round \(round)")
                #expect(diagnostic.message.utf8.count < 16_384 && diagnostic.path.utf8.count < 16_384)
            }
            if let plan = outcome.plan {
                var steps = 0
                for job in plan.jobs {
                    steps += job.steps.count { !$0.isBuiltIn }
                    let given = plan.expressionContext(job: job)
                    for step in job.steps { _ = ConditionRule.holds(step.condition, in: given) }
                    for text in job.lateEnvironment.values { _ = text.filled(in: given) }
                }
                #expect(steps <= PlanLimits.stepsMax)
                let again = PipelineCompiler.compile(bytes, file: "f", includes: includes, context: context)
                #expect(plan == again.plan)
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
