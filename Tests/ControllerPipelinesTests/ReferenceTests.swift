import ControllerCore
import ControllerPipelines
import Foundation
import Testing

@Suite("The reference for users")
struct ReferenceTests {
    struct Example {
        var line: Int
        /// Whether it is wrong, with the text block below it as what is said.
        var isWrong: Bool
        /// The path under which another example includes it.
        var path: String?
        var source = ""
        var shown: String?
    }

    private static func page() throws -> String {
        let page = Corpus.tests.deletingLastPathComponent().appending(path: "docs/pipeline-language.md")
        return try String(contentsOf: page, encoding: .utf8)
    }

    /// All blocks that begin with ```` ```yaml ````, with the ```` ```text ```` behind them.
    static func examples() throws -> [Example] {
        var examples: [Example] = []
        var open: Example?
        var isText = false
        for (index, line) in try page().components(separatedBy: "\n").enumerated() {
            if var example = open {
                if line == "```" {
                    if isText { examples[examples.count - 1] = example } else { examples.append(example) }
                    (open, isText) = (nil, false)
                    continue
                }
                if isText { example.shown = (example.shown ?? "") + line + "\n" } else { example.source += line + "\n" }
                open = example
            } else if line.hasPrefix("```yaml") {
                let path = line.firstRange(of: "file=").map { String(line[$0.upperBound...]) }
                open = Example(line: index + 1, isWrong: line.hasSuffix(" error"), path: path)
            } else if line == "```text", let last = examples.last {
                open = last
                isText = true
            }
        }
        return examples
    }

    @Test("every example does what the page says")
    func everyExample() throws {
        let examples = try Self.examples()
        #expect(examples.count >= 35)
        var files: [String: String] = [:]
        for example in examples { if let path = example.path { files[path] = example.source } }
        for example in examples where example.path == nil {
            let (definition, diagnostics) = PipelineCompiler.validate(
                example.source, file: ".ansflow.yml", includes: files)
            guard allWordsAreOn || !diagnostics.contains(where: { $0.code == .notSupportedYet }) else { continue }
            let said = diagnostics.map { "\($0)\n" }.joined()
            #expect((definition == nil) == example.isWrong, "line \(example.line): \(said)")
            #expect(said == example.shown ?? "", "line \(example.line)")
        }
    }

    @Test("every word of the table stands on the page")
    func everyWord() throws {
        let text = try Self.page()
        for object in [PipelineSchema.root, PipelineSchema.job, PipelineSchema.step, PipelineSchema.finalStep] {
            for word in object.words {
                guard word.isUsable else { continue }
                for spelling in word.spellings {
                    #expect(text.contains("`\(spelling)`"), "\(object.title): \(spelling)")
                }
                #expect(word.summary.hasSuffix("."), "\(word.name)")
            }
        }
        let words =
            InputPlan.Kind.allCases.map(\.rawValue) + RetryPlan.Reason.allCases.map(\.rawValue)
            + ConcurrencyPlan.OnNew.allCases.map(\.rawValue) + ApprovalPlan.Role.allCases.map(\.rawValue)
            + ArtifactRule.When.allCases.map(\.rawValue) + PullRequestTrigger.Event.allCases.map(\.rawValue)
            + PushTrigger.Event.allCases.map(\.rawValue) + ScheduleTrigger.Missed.allCases.map(\.rawValue)
        for word in words { #expect(text.contains("`\(word)`"), "\(word)") }
    }
}
