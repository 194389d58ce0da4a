import ControllerCore
import ControllerPipelines
import Testing

/// Files of few bytes that ask for much.
@Suite("Language bombs", .enabled(if: allWordsAreOn))
struct BombTests {
    private static func many(_ count: Int, _ text: (Int) -> String) -> String { (0..<count).map(text).joined() }

    static let bombs: [(name: String, source: String, code: DiagnosticCode)] = [
        (
            "matrices whose cells are all taken out",
            "env: { X: x }\njobs:\n  a: { steps: [{ run: a }], matrix: &m { a: [0, 1], b: [0, 1], c: [0, 1], d: [0, 1], e: [0, 1], f: [0, 1], "
                + "g: [0, 1], h: [0, 1], i: [0, 1], j: [0, 1], exclude: [{ a: 0 }, { b: 0 }, { c: 0 }] } }\n"
                + many(900) { "  j\($0): { steps: [{ run: a }], matrix: *m }\n" }, .matrixTooLarge
        ),
        (
            "optional needs that find nothing",
            "jobs:\n  a: { steps: [{ run: a }], matrix: { x: [\(many(200) { "\($0), " })] } }\n"
                + "  b: { steps: [{ run: a }], matrix: { x: [\(many(200) { "\($0), " })] }, needs: ["
                + many(50) { "{ job: \"a[x=n\($0)]\", optional: true }, " } + "] }\n", .tooMany
        ),
        (
            "filters in every cell",
            "jobs:\n  a:\n    matrix: { x: [\(many(200) { "\($0), " })] }\n    steps: [{ run: a }]\n    when:\n"
                + many(10) { filter in
                    "      - { branch: [" + many(50) { "\(filter)-\($0)-\(String(repeating: "b", count: 220)), " }
                        + "] }\n"
                }, .specTooLarge
        ),
        (
            "an approval's options in every cell",
            "jobs:\n  a:\n    matrix: { x: [\(many(200) { "\($0), " })] }\n    steps: [{ run: a }]\n    approval:\n      inputs:\n"
                + many(6) { input in
                    "        i\(input): { type: choice, options: ["
                        + many(100) { "\($0)-\(String(repeating: "o", count: 200)), " } + "] }\n"
                }, .specTooLarge
        ),
        (
            "variables in late texts",
            "env: { BIG: \(String(repeating: "b", count: 100_000)) }\njobs:\n  a: { steps: [{ run: a }] }\n  b:\n    needs: a\n"
                + "    matrix: { x: [\(many(200) { "\($0), " })] }\n    steps: [{ run: a }]\n"
                + "    env: { L: \"${{ env.BIG == needs.a.result }}\" }\n", .specTooLarge
        ),
    ]

    @Test("are refused at once", arguments: bombs.indices)
    func refused(index: Int) {
        let bomb = Self.bombs[index]
        let start = ContinuousClock.now
        let outcome = PipelineCompiler.compile(bomb.source, file: "", context: CompileContext())
        #expect(start.duration(to: .now) < .seconds(20), "\(bomb.name)")
        #expect(outcome.plan == nil && outcome.diagnostics.contains { $0.code == bomb.code }, "\(bomb.name)")
    }
}
