package import ArgumentParser

package struct ProjectCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "project",
        abstract: "Show and manage projects.",
        discussion: """
            Examples:
              ansflow project list
              ansflow project create widgets --owner octo
              ansflow project set widgets --archived yes
              ansflow project variable set widgets REGION=north
              ansflow project delete widgets --confirm widgets
            """,
        subcommands: [List.self, Show.self, Create.self, Set.self, Variable.self, Delete.self])

    package init() {}
}

extension ProjectCommand {
    package struct List: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the projects that you may see, by name.",
            discussion: """
                Examples:
                  ansflow project list
                  ansflow project list --search wid --json
                """)

        @OptionGroup package var connection: ConnectionOptions
        @OptionGroup package var paging: Paging
        @Option(name: .long, help: "Part of the name.")
        package var search: String?

        package init() {}

        package func run() async throws {
            try await connection.withClient { client in
                let query = paging.query + (search.map { [("q", $0)] } ?? [])
                let answer = try await client.get("/api/v1/projects", query: query)
                if connection.json { return ConnectionOptions.printJSON(answer) }
                let listing = try answer.decode(Listing<ProjectModel>.self)
                var table = Table(["ID", "NAME", "STATE", "YOUR ROLE", "DESCRIPTION"])
                for project in listing.items {
                    let first = project.description.split(separator: "\n").first ?? ""
                    table.add([String(project.id), project.name, project.state, project.role ?? "", String(first)])
                }
                Terminal.print(table.text())
                paging.note(shown: listing.items.count, total: listing.total)
            }
        }
    }

    package struct Show: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show one project.",
            discussion: """
                Examples:
                  ansflow project show widgets
                """)

        @OptionGroup package var connection: ConnectionOptions
        @Argument(help: "Name or id.")
        package var project: String

        package init() {}

        package func run() async throws {
            try await connection.withClient { client in
                let id = try await Lookup.project(project, client).id
                let answer = try await client.get("/api/v1/projects/\(id)", thing: "Project \(project)")
                ProjectCommand.show(answer, connection)
            }
        }
    }

    package struct Create: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "create", abstract: "Make a project, as an administrator.",
            discussion: """
                Examples:
                  ansflow project create widgets
                  ansflow project create widgets --description "What we sell" --owner octo
                """)

        @OptionGroup package var connection: ConnectionOptions
        @Argument(help: "The new project's name.")
        package var name: String
        @Option(name: .long, help: "What it is for.")
        package var description: String?
        @Option(name: .long, help: "Name or id of the user who owns it.")
        package var owner: String?

        package init() {}

        package func run() async throws {
            try await connection.withClient { client in
                var body: [String: JSONValue] = ["name": .string(name)]
                if let description { body["description"] = .string(description) }
                if let owner { body["owner_id"] = .int(try await Lookup.user(owner, client).id) }
                let answer = try await client.post("/api/v1/projects", .object(body), thing: "Project \(name)")
                ProjectCommand.show(answer, connection)
            }
        }
    }

    package struct Set: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "set", abstract: "Rename a project, describe it, archive it or make it active again.",
            discussion: """
                An archived project can be read; nothing of it changes and nothing starts.

                Examples:
                  ansflow project set widgets --name gadgets
                  ansflow project set widgets --archived yes
                """)

        @OptionGroup package var connection: ConnectionOptions
        @Argument(help: "Name or id.")
        package var project: String
        @Option(name: .long, help: "Its new name.")
        package var name: String?
        @Option(name: .long, help: "What it is for.")
        package var description: String?
        @Option(name: .long, help: "Whether it is archived: yes or no.")
        package var archived: YesNo?

        package init() {}

        package func validate() throws {
            if name == nil, description == nil, archived == nil {
                throw ValidationError("Say what to set: --name, --description or --archived.")
            }
        }

        package func run() async throws {
            var body: [String: JSONValue] = [:]
            if let name { body["name"] = .string(name) }
            if let description { body["description"] = .string(description) }
            if let archived { body["archived"] = .bool(archived == .yes) }
            let request = JSONValue.object(body)
            try await connection.withClient { client in
                let id = try await Lookup.project(project, client).id
                let answer = try await client.send(
                    "PATCH", "/api/v1/projects/\(id)", body: request, thing: "Project \(project)")
                ProjectCommand.show(answer, connection)
            }
        }
    }

    package struct Delete: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "delete",
            abstract: "Delete a project with its pipelines, runs, logs, artifacts, hooks and secrets.",
            discussion: """
                It can't be undone. Its name has to be given once more. No run of it may be going on.

                Examples:
                  ansflow project delete widgets --confirm widgets
                """)

        @OptionGroup package var connection: ConnectionOptions
        @Argument(help: "Name or id.")
        package var project: String
        @Option(name: .long, help: "The project's name, so that none is deleted by mistake.")
        package var confirm: String

        package init() {}

        package func run() async throws {
            try await connection.withClient { client in
                let found = try await Lookup.project(project, client)
                let answer = try await client.send(
                    "DELETE", "/api/v1/projects/\(found.id)", query: [("confirm", confirm)],
                    thing: "Project \(project)")
                if connection.json { return ConnectionOptions.printJSON(answer) }
                Terminal.print("project \(SafeText.line(found.name, colours: false)): deleted")
            }
        }
    }

    private static func show(_ answer: Answer, _ connection: ConnectionOptions) {
        if connection.json { return ConnectionOptions.printJSON(answer) }
        guard let project = try? answer.decode(ProjectModel.self) else { return }
        let role = project.role.map { ", your role: \($0)" } ?? ""
        Terminal.print("project \(project.id) \(SafeText.line(project.name, colours: false)): \(project.state)\(role)")
        for line in project.description.split(separator: "\n") {
            Terminal.print(SafeText.line(String(line), colours: false))
        }
    }
}
