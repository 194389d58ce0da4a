package import ArgumentParser

/// A definition is at most this long; the controller has its own limit.
private let definitionLimit = 4 << 20

package struct PipelineCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "pipeline",
        abstract: "Create, check, list, show and delete pipelines.",
        discussion: """
            Examples:
              ansflow pipeline validate .ansflow.yml
              ansflow pipeline create --file .ansflow.yml --name app --repository https://example.org/app.git --ref main
              ansflow pipeline list
              ansflow pipeline schema > ansflow.schema.json
            """,
        subcommands: [Create.self, Validate.self, Schema.self, List.self, Show.self, Delete.self])

    package init() {}
}

extension PipelineCommand {
    package struct Create: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "create", abstract: "Store a pipeline.",
            discussion: """
                The repository is what its jobs check out. With --file the definition is stored; without, each run reads it from the \
                repository, at its own commit, from --path. With --replace, a pipeline of that name is changed instead of an error.

                Examples:
                  ansflow pipeline create --name app --repository https://example.org/app.git --ref main
                  ansflow pipeline create --file .ansflow.yml --name app --repository https://example.org/app.git --ref main
                  ansflow pipeline create --file nightly.yml --name nightly --replace
                  ansflow pipeline create --file app.yml --name app --project widgets
                """)

        @OptionGroup package var connection: ConnectionOptions
        @OptionGroup package var project: ProjectOption
        @Option(name: [.long, .customShort("f")], help: "The definition, or - for standard input.")
        package var file: String?
        @Option(name: .long, help: "Where the definition lies in the repository; .ansflow.yml where nothing is said.")
        package var path: String?
        @Option(name: .long, help: "Name of the pipeline.")
        package var name: String
        @Option(name: .long, help: "Address of the git repository that its jobs check out.")
        package var repository: String?
        @Option(name: .long, help: "Branch, tag or commit that is checked out where a run names none.")
        package var ref: String?
        @Option(
            name: .long,
            help: "The project's secret that opens the repository: a token, or an SSH key with known hosts.")
        package var credential: String?
        @Flag(name: .long, help: "Replace a pipeline of that name.")
        package var replace = false

        package init() {}

        package func run() async throws {
            let given = try body()
            do {
                try await connection.withClient { client in
                    var body = given
                    body["project_id"] = .int(try await project.id(client))
                    let request = JSONValue.object(body)
                    if replace, let old = try await existing(client) {
                        let answer = try await client.send("PUT", "/api/v1/pipelines/\(old.id)", body: request)
                        try report(answer, "replaced", client)
                    } else {
                        try report(try await client.post("/api/v1/pipelines", request), "created", client)
                    }
                }
            } catch var failure as ClientFailure {
                guard let file else { throw failure }
                // The controller calls every definition so; here it has a name.
                func named(_ text: String) -> String { text.replacing(".ansflow.yml:", with: "\(file):") }
                failure.message = named(failure.message)
                failure.details = failure.details.map(named)
                throw failure
            }
        }

        private func body() throws -> [String: JSONValue] {
            var body: [String: JSONValue] = ["name": .string(name)]
            if let file {
                guard path == nil else { throw ValidationError("give either --file or --path, not both") }
                body["definition"] = .string(
                    String(decoding: try FileIO.read(file, limit: definitionLimit), as: UTF8.self))
            }
            guard let repository else {
                guard ref == nil else { throw ValidationError("--ref needs --repository") }
                guard path == nil else { throw ValidationError("--path needs --repository") }
                guard credential == nil else { throw ValidationError("--credential needs --repository") }
                guard file != nil else {
                    throw ValidationError("give the definition with --file, or a --repository that has it")
                }
                return body
            }
            var members: [String: JSONValue] = ["url": .string(repository)]
            if let ref { members["ref"] = .string(ref) }
            if let credential { members["credential"] = .string(credential) }
            if file == nil { members["path"] = .string(path ?? ".ansflow.yml") }
            body["repository"] = .object(members)
            return body
        }

        private func existing(_ client: APIClient) async throws -> PipelineModel? {
            try await Lookup.pipeline(name, in: project.id(client), client)
        }

        private func report(_ answer: Answer, _ what: String, _ client: APIClient) throws {
            if connection.json { return ConnectionOptions.printJSON(answer) }
            let pipeline = try answer.decode(PipelineModel.self)
            let version = pipeline.version.map { ", version \($0)" } ?? ""
            let name = SafeText.line(pipeline.name, colours: false)
            Terminal.print("pipeline \(pipeline.id) (\(name)) \(what)\(version)")
            Terminal.note("Run it with: ansflow run \(ShellWord.quoted(name)) --follow")
        }
    }

    package struct Validate: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "validate",
            abstract: "Have the controller check a definition, and print all that is wrong with it.",
            discussion: """
                Exits 1 where the definition has an error. Each finding is printed as FILE:LINE:COLUMN: severity: text. `ansflow validate` \
                does the same without a controller.

                Examples:
                  ansflow pipeline validate .ansflow.yml
                  generate-pipeline | ansflow pipeline validate -
                """)

        @OptionGroup package var connection: ConnectionOptions
        @Argument(help: "The definition, or - for standard input.")
        package var file: String

        package init() {}

        package func run() async throws {
            let text = String(decoding: try FileIO.read(file, limit: definitionLimit), as: UTF8.self)
            try await connection.withClient { client in
                let answer = try await client.post(
                    "/api/v1/pipelines/validate", .object(["definition": .string(text)]))
                let result = try answer.decode(ValidationModel.self)
                if connection.json {
                    ConnectionOptions.printJSON(answer)
                } else {
                    report(result)
                }
                if !result.valid { throw ExitCode(ClientFailure.Kind.negative.rawValue) }
            }
        }

        private func report(_ result: ValidationModel) {
            let style = Style()
            let name = file == "-" ? "<stdin>" : file
            for diagnostic in result.diagnostics ?? [] {
                Terminal.print(DiagnosticText.line(diagnostic, file: name, style: style))
            }
            for note in result.notes ?? [] {
                Terminal.print("\(name): \(style.paint("note", .cyan)): \(SafeText.line(note, colours: false))")
            }
            if result.valid { Terminal.print("\(name): ok") }
        }
    }

    package struct List: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List pipelines.",
            discussion: """
                Examples:
                  ansflow pipeline list
                  ansflow pipeline list --project widgets
                  ansflow pipeline list --page 2 --per-page 50 --json
                """)

        @OptionGroup package var connection: ConnectionOptions
        @Option(name: .long, help: "Only of this project, by name or id.")
        package var project: String?
        @OptionGroup package var paging: Paging

        package init() {}

        package func run() async throws {
            try await connection.withClient { client in
                let answer = try await client.get(
                    "/api/v1/pipelines", query: paging.query + Lookup.projectQuery(project, client))
                if connection.json { return ConnectionOptions.printJSON(answer) }
                let listing = try answer.decode(Listing<PipelineModel>.self)
                var table = Table(["ID", "NAME", "VERSION", "REF", "REPOSITORY"])
                for item in listing.items {
                    table.add([
                        String(item.id), item.name, item.version.map(String.init) ?? "", item.repository?.ref ?? "",
                        item.repository?.url ?? "",
                    ])
                }
                Terminal.print(table.text())
                paging.note(shown: listing.items.count, total: listing.total)
            }
        }
    }

    package struct Show: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show a pipeline and its definition.",
            discussion: """
                Examples:
                  ansflow pipeline show quickstart
                  ansflow pipeline show 3 --json
                """)

        @OptionGroup package var connection: ConnectionOptions
        @Argument(help: "Name or id of the pipeline.")
        package var pipeline: String

        package init() {}

        package func run() async throws {
            try await connection.withClient { client in
                let id = try await Lookup.pipeline(pipeline, client).id
                let answer = try await client.get("/api/v1/pipelines/\(id)", thing: "Pipeline \(pipeline)")
                if connection.json { return ConnectionOptions.printJSON(answer) }
                let found = try answer.decode(PipelineModel.self)
                Terminal.print(
                    "# pipeline \(found.id): \(found.name), version \(found.version.map(String.init) ?? "?")")
                if let url = found.repository?.url, !url.isEmpty {
                    Terminal.print("# repository: \(url) \(found.repository?.ref ?? "")")
                    if let path = found.repository?.path {
                        Terminal.print("# definition: read from \(path) at each run's commit; as it was read last:")
                    }
                }
                try await schedules(found.id, client)
                let text = (found.definition ?? "").split(separator: "\n", omittingEmptySubsequences: false)
                    .map { SafeText.line(String($0), colours: false) }.joined(separator: "\n")
                Terminal.print(text.hasSuffix("\n") ? String(text.dropLast()) : text)
            }
        }

        /// Times to come, as comments above the definition.
        private func schedules(_ id: Int64, _ client: APIClient) async throws {
            let answer: Answer
            do {
                answer = try await client.get("/api/v1/pipelines/\(id)/schedules", query: [("next", "3")])
            } catch let failure as ClientFailure where failure.kind == .notFound {
                // An older controller.
                return
            }
            for schedule in try answer.decode(Listing<ScheduleModel>.self).items {
                let name = SafeText.line("\(schedule.name): \(schedule.at) \(schedule.zone)", colours: false)
                let next = schedule.next.joined(separator: ", ")
                Terminal.print("# schedule \(name); " + (schedule.active ? "next runs: \(next)" : "off"))
                if let error = schedule.error { Terminal.print("#   " + SafeText.line(error, colours: false)) }
            }
        }
    }

    package struct Delete: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "delete", abstract: "Delete a pipeline. Its finished runs stay readable.",
            discussion: """
                Examples:
                  ansflow pipeline delete nightly
                """)

        @OptionGroup package var connection: ConnectionOptions
        @Argument(help: "Name or id of the pipeline.")
        package var pipeline: String

        package init() {}

        package func run() async throws {
            try await connection.withClient { client in
                let found = try await Lookup.pipeline(pipeline, client)
                let answer = try await client.send(
                    "DELETE", "/api/v1/pipelines/\(found.id)", thing: "Pipeline \(pipeline)")
                if connection.json { return ConnectionOptions.printJSON(answer) }
                Terminal.print("pipeline \(found.id) (\(found.name)) deleted")
            }
        }
    }
}
