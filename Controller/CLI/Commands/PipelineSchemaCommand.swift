package import ArgumentParser
import ControllerPipelines

extension PipelineCommand {
    package struct Schema: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "schema", abstract: "Print the JSON Schema of definitions, for editors.",
            discussion: """
                Editors that know the YAML language server take it from the file's first line:
                # yaml-language-server: $schema=ansflow.schema.json

                Examples:
                  ansflow pipeline schema > ansflow.schema.json
                """)

        package init() {}

        package func run() async throws {
            let text = PipelineSchema.jsonSchema()
            Terminal.writeRaw(text.last == UInt8(ascii: "\n") ? text : text + [UInt8(ascii: "\n")])
        }
    }
}
