package import ArgumentParser

/// `ansflow forge`: which forges are told how runs stand.
package struct ForgeCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "forge",
        abstract: "Say which forges get statuses of commits, and see what they got.",
        discussion: """
            Examples:
              ansflow secret set FORGE_TOKEN < token.txt
              ansflow forge add github octo/widgets --secret FORGE_TOKEN
              ansflow forge list
              ansflow forge statuses 1
              ansflow forge delete 1
            """,
        subcommands: [Add.self, List.self, Statuses.self, Delete.self])

    package init() {}
}

private struct ForgeModel: Decodable, Sendable {
    var id: Int64
    var pipelineId: Int64?
    var kind: String
    var apiUrl: String
    var repository: String
    var secret: String
    var enabled: Bool
}

private struct ForgeStatusModel: Decodable, Sendable {
    var commit: String
    var context: String
    var state: String
    var runId: Int64?
    var delivery: String
    var tries: Int
    var error: String?
    var updatedAt: String?
}

/// A project's forges.
package struct ForgePlace: ParsableArguments {
    @OptionGroup package var connection: ConnectionOptions
    @OptionGroup package var project: ProjectOption

    package init() {}

    package func path(_ client: APIClient) async throws -> String {
        "/api/v1/projects/\(try await project.id(client))/forges"
    }
}

extension ForgeCommand {
    package struct Add: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "add", abstract: "Have a forge told how runs stand.",
            discussion: """
                The token is kept as a secret of the project, and the forge connection names it.

                Examples:
                  ansflow forge add github octo/widgets --secret FORGE_TOKEN
                  ansflow forge add gitlab octo/widgets --secret FORGE_TOKEN --api https://git.example.org/api/v4
                  ansflow forge add gitea octo/widgets --secret FORGE_TOKEN --api https://git.example.org/api/v1 --pipeline build
                """)

        @OptionGroup package var place: ForgePlace
        @Argument(help: "github, gitlab, gitea (Forgejo too) or bitbucket.")
        package var kind: String
        @Argument(help: "owner/name, or the project's number at GitLab.")
        package var repository: String
        @Option(name: .long, help: "Name of the project's secret that holds the token.")
        package var secret: String
        @Option(name: .long, help: "Address of the forge's interface (default: the public forge's).")
        package var api: String?
        @Option(
            name: .long, help: "Id or name of the only pipeline that reports there (default: all of the repository).")
        package var pipeline: String?

        package init() {}

        package func run() async throws {
            var body: [String: JSONValue] = [
                "kind": .string(kind), "repository": .string(repository), "secret": .string(secret),
            ]
            if let api { body["api_url"] = .string(api) }
            let asked = body
            try await place.connection.withClient { client in
                var body = asked
                if let pipeline { body["pipeline_id"] = .int(try await Lookup.pipeline(pipeline, client).id) }
                let answer = try await client.post(
                    place.path(client), .object(body), thing: "Project \(place.project.text)")
                if place.connection.json { return ConnectionOptions.printJSON(answer) }
                let forge = try answer.decode(ForgeModel.self)
                Terminal.print(
                    "forge \(forge.id) (\(SafeText.line("\(forge.kind) \(forge.repository)", colours: false))): added")
            }
        }
    }

    package struct List: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the forges that a project reports to.",
            discussion: """
                Examples:
                  ansflow forge list
                  ansflow forge list --project 2 --json
                """)

        @OptionGroup package var place: ForgePlace

        package init() {}

        package func run() async throws {
            try await place.connection.withClient { client in
                let answer = try await client.get(place.path(client), thing: "Project \(place.project.text)")
                if place.connection.json { return ConnectionOptions.printJSON(answer) }
                var table = Table(["ID", "KIND", "REPOSITORY", "PIPELINE", "SECRET", "STATE", "ADDRESS"])
                for forge in try answer.decode(Listing<ForgeModel>.self).items {
                    table.add([
                        String(forge.id), forge.kind, forge.repository, forge.pipelineId.map(String.init) ?? "all",
                        forge.secret, forge.enabled ? "on" : "off", forge.apiUrl,
                    ])
                }
                Terminal.print(table.text())
            }
        }
    }

    package struct Statuses: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "statuses", abstract: "Show what a forge was told, the newest first, and why it was not told.",
            discussion: """
                Examples:
                  ansflow forge statuses 1
                  ansflow forge statuses 1 --json
                """)

        @OptionGroup package var place: ForgePlace
        @OptionGroup package var paging: Paging
        @Argument(help: "The forge connection's id.")
        package var forge: Int64

        package init() {}

        package func run() async throws {
            try await place.connection.withClient { client in
                let answer = try await client.get(
                    "\(place.path(client))/\(forge)/statuses", query: paging.query,
                    thing: "Forge \(forge) of project \(place.project.text)")
                if place.connection.json { return ConnectionOptions.printJSON(answer) }
                let listing = try answer.decode(Listing<ForgeStatusModel>.self)
                var table = Table(["COMMIT", "CONTEXT", "STATE", "RUN", "SENT", "TRIES", "WHEN", "ERROR"])
                for item in listing.items {
                    table.add([
                        String(item.commit.prefix(12)), item.context, item.state, item.runId.map(String.init) ?? "",
                        item.delivery, String(item.tries), Durations.short(item.updatedAt), item.error ?? "",
                    ])
                }
                Terminal.print(table.text())
                paging.note(shown: listing.items.count, total: listing.total)
            }
        }
    }

    package struct Delete: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "delete", abstract: "Tell a forge nothing more; what it was told stays there.",
            discussion: """
                Examples:
                  ansflow forge delete 1
                """)

        @OptionGroup package var place: ForgePlace
        @Argument(help: "The forge connection's id.")
        package var forge: Int64

        package init() {}

        package func run() async throws {
            try await place.connection.withClient { client in
                _ = try await client.send(
                    "DELETE", "\(place.path(client))/\(forge)", body: nil,
                    thing: "Forge \(forge) of project \(place.project.text)")
                Terminal.print("forge \(forge): deleted")
            }
        }
    }
}
