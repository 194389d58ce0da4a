import ControllerCore
import ControllerPipelines
import Foundation
import Testing

@Suite("The reference for users")
struct ReferenceTests {
    struct Example {
        var line: Int
        /// The code that must be found; `nil` for a file that must be right.
        var error: String?
        var source: String
    }

    /// All blocks that begin with ```` ```yaml ````, or ```` ```yaml error=code ````.
    static func examples() throws -> [Example] {
        let page = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "docs/pipeline-language.md")
        var examples: [Example] = []
        var open: Example?
        for (index, line) in try String(contentsOf: page, encoding: .utf8).components(separatedBy: "\n").enumerated() {
            if var example = open {
                if line == "```" {
                    examples.append(example)
                    open = nil
                } else {
                    example.source += line + "\n"
                    open = example
                }
            } else if line.hasPrefix("```yaml") {
                let error = line.firstRange(of: "error=").map { String(line[$0.upperBound...]) }
                open = Example(line: index + 1, error: error, source: "")
            }
        }
        return examples
    }

    @Test("every example does what the page says")
    func everyExample() throws {
        let examples = try Self.examples()
        #expect(examples.count >= 15)
        for example in examples {
            let (definition, diagnostics) = PipelineCompiler.validate(example.source, file: "line \(example.line)")
            if let error = example.error {
                #expect(diagnostics.map(\.code.rawValue) == [error], "line \(example.line)")
            } else {
                #expect(definition != nil && diagnostics.isEmpty, "\(diagnostics)")
            }
        }
    }

    @Test("every word of the table stands on the page")
    func everyWord() throws {
        let page = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "docs/pipeline-language.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        for object in [PipelineSchema.root, PipelineSchema.job, PipelineSchema.step] {
            for word in object.words {
                guard word.isUsable else { continue }
                for spelling in word.spellings {
                    #expect(text.contains("`\(spelling)`"), "\(object.title): \(spelling)")
                }
                #expect(word.summary.hasSuffix("."), "\(word.name)")
            }
        }
        for type in InputPlan.Kind.allCases { #expect(text.contains("`\(type.rawValue)`")) }
    }
}
