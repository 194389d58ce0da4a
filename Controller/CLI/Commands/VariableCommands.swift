package import ArgumentParser

extension ProjectCommand {
    package struct Variable: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "variable",
            abstract: "List, set and remove a project's variables, which all of its steps get.",
            discussion: """
                They are no secrets: `ansflow secret` keeps those. What a pipeline's file gives in `env` wins over them, and a run \
                keeps those that there were when it was made.

                Examples:
                  ansflow project variable list widgets
                  ansflow project variable set widgets REGION=north STAGE=test
                  ansflow project variable rm widgets STAGE
                """,
            subcommands: [List.self, Set.self, Remove.self])

        package init() {}
    }
}

private struct VariablesModel: Decodable, Sendable {
    var variables: [String: String]
}

extension ProjectCommand.Variable {
    package struct List: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List a project's variables.",
            discussion: """
                Examples:
                  ansflow project variable list widgets
                  ansflow project variable list widgets --json
                """)

        @OptionGroup package var connection: ConnectionOptions
        @Argument(help: "The project's name or id.")
        package var project: String

        package init() {}

        package func run() async throws {
            try await connection.withClient { client in
                let id = try await Lookup.project(project, client).id
                let answer = try await client.get("/api/v1/projects/\(id)/variables", thing: "Project \(project)")
                if connection.json { return ConnectionOptions.printJSON(answer) }
                var table = Table(["NAME", "VALUE"])
                let all = try answer.decode(VariablesModel.self).variables
                for (name, value) in all.sorted(by: { $0.key < $1.key }) {
                    table.add([name, SafeText.line(value, colours: false)])
                }
                Terminal.print(table.text())
            }
        }
    }

    package struct Set: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "set",
            abstract: "Set variables of a project; the others stay.",
            discussion: """
                Examples:
                  ansflow project variable set widgets REGION=north
                  ansflow project variable set widgets REGION=north "GREETING=good morning"
                """)

        @OptionGroup package var connection: ConnectionOptions
        @Argument(help: "The project's name or id.")
        package var project: String
        @Argument(help: "NAME=VALUE, once or more.")
        package var assignments: [String]

        package init() {}

        package func validate() throws {
            for assignment in assignments where Self.pair(assignment) == nil {
                throw ValidationError("`\(assignment)` is not NAME=VALUE.")
            }
            if assignments.isEmpty { throw ValidationError("Give NAME=VALUE, once or more.") }
        }

        static func pair(_ text: String) -> (name: String, value: String)? {
            guard let equals = text.firstIndex(of: "="), equals > text.startIndex else { return nil }
            return (String(text[..<equals]), String(text[text.index(after: equals)...]))
        }

        package func run() async throws {
            let pairs = assignments.compactMap(Self.pair)
            try await ProjectCommand.Variable.change(project, connection) { all in
                for (name, value) in pairs { all[name] = value }
                return nil
            }
        }
    }

    package struct Remove: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "rm",
            abstract: "Remove variables of a project.",
            discussion: """
                Examples:
                  ansflow project variable rm widgets REGION
                """)

        @OptionGroup package var connection: ConnectionOptions
        @Argument(help: "The project's name or id.")
        package var project: String
        @Argument(help: "Names of the variables.")
        package var names: [String]

        package init() {}

        package func validate() throws {
            if names.isEmpty { throw ValidationError("Name the variables that are to go.") }
        }

        package func run() async throws {
            let names = names
            try await ProjectCommand.Variable.change(project, connection) { all in
                for name in names where all.removeValue(forKey: name) == nil { return name }
                return nil
            }
        }
    }

    /// Reads all, changes them and writes them back; somebody else's change in between makes it begin again.
    ///
    /// - Parameter body: gives the name of a variable that there is not.
    private static func change(
        _ project: String, _ connection: ConnectionOptions,
        _ body: @escaping @Sendable (inout [String: String]) -> String?
    ) async throws {
        try await connection.withClient { client in
            let id = try await Lookup.project(project, client).id
            let path = "/api/v1/projects/\(id)/variables"
            var tries = 5
            while true {
                tries -= 1
                let known = try await client.get(path, thing: "Project \(project)")
                var all = try known.decode(VariablesModel.self).variables
                if let missing = body(&all) {
                    throw ClientFailure(
                        .notFound, "The project has no variable \"\(missing)\".",
                        cure: "`ansflow project variable list \(ShellWord.quoted(project))` shows what there is.")
                }
                let request = JSONValue.object(["variables": .object(all.mapValues { .string($0) })])
                do {
                    let answer = try await client.send(
                        "PUT", path, body: request, headers: known.header("etag").map { [("If-Match", $0)] } ?? [],
                        thing: "Project \(project)")
                    if connection.json { return ConnectionOptions.printJSON(answer) }
                    return Terminal.print("project \(SafeText.line(project, colours: false)): \(all.count) variables")
                } catch let failure as ClientFailure where failure.isStale && tries > 0 {
                    continue
                }
            }
        }
    }
}
