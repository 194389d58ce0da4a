package import ArgumentParser

package struct EnvironmentCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "environment",
        abstract: "Show the environments that jobs deploy to, and what was deployed to them.",
        discussion: """
            A job names its environment with `environment: NAME`. Secrets of an environment are set with `ansflow secret set --env`.

            Examples:
              ansflow environment list
              ansflow environment show production
            """,
        subcommands: [List.self, Show.self])

    package init() {}
}

/// Whose environments they are.
package struct EnvironmentPlace: ParsableArguments {
    @OptionGroup package var connection: ConnectionOptions
    @OptionGroup package var project: ProjectOption

    package init() {}

    package func path(_ client: APIClient) async throws -> String {
        "/api/v1/projects/\(try await project.id(client))/environments"
    }
}

private struct DeploymentModel: Decodable, Sendable {
    struct Approval: Decodable, Sendable {
        var answeredBy: String?
        var reason: String?
    }

    var runId: Int64
    var runNumber: Int64
    var pipelineName: String
    var job: String
    var status: String
    var commit: String
    var actor: String
    var startedAt: String?
    var approval: Approval?

    var run: String { "\(pipelineName) #\(runNumber)" }
    var shortCommit: String { String(commit.prefix(12)) }
}

private struct EnvironmentModel: Decodable, Sendable {
    var name: String
    var newest: DeploymentModel
    var current: DeploymentModel?
}

extension EnvironmentCommand {
    package struct List: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List environments with what is deployed to each.",
            discussion: """
                Examples:
                  ansflow environment list
                  ansflow environment list --json
                """)

        @OptionGroup package var place: EnvironmentPlace

        package init() {}

        package func run() async throws {
            try await place.connection.withClient { client in
                let answer = try await client.get(place.path(client), thing: "The project")
                if place.connection.json { return ConnectionOptions.printJSON(answer) }
                var table = Table(["ENVIRONMENT", "DEPLOYED", "COMMIT", "AT", "NEWEST TRY"])
                for item in try answer.decode(Listing<EnvironmentModel>.self).items {
                    table.add([
                        item.name, item.current?.run ?? "nothing", item.current?.shortCommit ?? "",
                        Durations.short(item.current?.startedAt), "\(item.newest.run) \(item.newest.status)",
                    ])
                }
                Terminal.print(table.text())
            }
        }
    }

    package struct Show: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show what was deployed to an environment, newest first.",
            discussion: """
                Examples:
                  ansflow environment show production
                  ansflow environment show production --limit 5
                """)

        @OptionGroup package var place: EnvironmentPlace
        @Argument(help: "The environment's name.")
        package var name: String
        @Option(name: .long, help: "At most so many, 1 to 100.")
        package var limit = 20

        package init() {}

        package func validate() throws {
            guard (1...100).contains(limit) else { throw ValidationError("--limit takes 1 to 100") }
        }

        package func run() async throws {
            try await place.connection.withClient { client in
                let path = "\(try await place.path(client))/\(APIClient.escaped(name))/deployments"
                let answer = try await client.get(
                    path, query: [("per_page", String(limit))],
                    thing: "Environment \(SafeText.line(name, colours: false))")
                if place.connection.json { return ConnectionOptions.printJSON(answer) }
                var table = Table(["RUN", "ID", "JOB", "STATUS", "COMMIT", "AT", "BY", "APPROVED BY"])
                for item in try answer.decode(Listing<DeploymentModel>.self).items {
                    let reason = item.approval?.reason.map { " (\($0))" } ?? ""
                    table.add([
                        item.run, String(item.runId), item.job, item.status, item.shortCommit,
                        Durations.short(item.startedAt), item.actor, (item.approval?.answeredBy ?? "") + reason,
                    ])
                }
                Terminal.print(table.text())
            }
        }
    }
}
