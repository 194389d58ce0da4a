package import ArgumentParser

private struct NamedModel: Decodable, Sendable {
    var id: Int64
    var name: String
}

extension NoticeCommand {
    package struct AddTarget: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "add-target", abstract: "Add a hook or team chat that notices can go to.",
            discussion: """
                The address of a team chat is a secret: keep it in one, and name it with --address-secret.

                Examples:
                  ansflow secret set CHAT_URL < address.txt
                  ansflow notice add-target team-chat --format slack --address-secret CHAT_URL
                  ansflow notice add-target hook --address https://hooks.example.org/in --signing-secret HOOK_KEY
                """)

        @OptionGroup package var connection: ConnectionOptions
        @OptionGroup package var project: ProjectOption
        @Argument(help: "Its name; rules and `notify` of definitions say it.")
        package var name: String
        @Option(name: .long, help: "json, slack, teams, mattermost or discord.")
        package var format = "json"
        @Option(name: .customLong("address"), help: "Where it takes them.")
        package var url: String?
        @Option(name: .customLong("address-secret"), help: "Name of the project's secret that holds the address.")
        package var urlSecret: String?
        @Option(name: .long, help: "Name of the project's secret that requests are signed with.")
        package var signingSecret: String?

        package init() {}

        package func validate() throws {
            guard (url == nil) != (urlSecret == nil) else {
                throw ValidationError("give either --address or --address-secret")
            }
        }

        package func run() async throws {
            var body: [String: JSONValue] = ["name": .string(name), "format": .string(format)]
            for (field, value) in [("url", url), ("url_secret", urlSecret), ("signing_secret", signingSecret)] {
                if let value { body[field] = .string(value) }
            }
            let asked = body
            try await connection.withClient { client in
                let answer = try await client.post(
                    "/api/v1/projects/\(project.id(client))/notification-targets", .object(asked),
                    thing: "Project \(project.text)")
                if connection.json { return ConnectionOptions.printJSON(answer) }
                let made = try answer.decode(NamedModel.self)
                Terminal.print("target \(made.id) (\(SafeText.line(made.name, colours: false))): added")
            }
        }
    }

    package struct AddRule: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "add-rule", abstract: "Have somebody told of something.",
            discussion: """
                Events: failed, fixed, always, waiting_for_approval, agent_lost, disk_low.

                Examples:
                  ansflow notice add-rule "tell the team" --on failed --on fixed --to team-chat
                  ansflow notice add-rule approvals --on waiting_for_approval --in-app --pipeline deploy
                """)

        @OptionGroup package var connection: ConnectionOptions
        @OptionGroup package var project: ProjectOption
        @Argument(help: "Its name.")
        package var name: String
        @Option(name: .long, help: "What is told; repeatable.")
        package var on: [String]
        @Option(name: .long, help: "Name of the target that it goes to.")
        package var to: String?
        @Flag(name: .long, help: "Show it in the application.")
        package var inApp = false
        @Option(name: .long, help: "Id or name of the only pipeline that it is about (default: all).")
        package var pipeline: String?

        package init() {}

        package func validate() throws {
            guard !on.isEmpty else { throw ValidationError("say with --on what is told") }
            guard inApp || to != nil else { throw ValidationError("give --to, --in-app or both") }
        }

        package func run() async throws {
            var body: [String: JSONValue] = [
                "name": .string(name), "on": .array(on.map { .string($0) }),
                "in_app": .bool(inApp),
            ]
            if let to { body["webhook"] = .string(to) }
            let asked = body
            try await connection.withClient { client in
                var body = asked
                body["project_id"] = .int(try await project.id(client))
                if let pipeline { body["pipeline_id"] = .int(try await Lookup.pipeline(pipeline, client).id) }
                let answer = try await client.post(
                    "/api/v1/notification-rules", .object(body), thing: "Project \(project.text)")
                if connection.json { return ConnectionOptions.printJSON(answer) }
                let made = try answer.decode(NamedModel.self)
                Terminal.print("rule \(made.id) (\(SafeText.line(made.name, colours: false))): added")
            }
        }
    }

    package struct DeleteRule: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "delete-rule", abstract: "Delete a rule; its target stays.",
            discussion: """
                Examples:
                  ansflow notice delete-rule 2
                """)

        @OptionGroup package var connection: ConnectionOptions
        @Argument(help: "Id of the rule.")
        package var rule: Int64

        package init() {}

        package func run() async throws {
            try await connection.withClient { client in
                _ = try await client.send(
                    "DELETE", "/api/v1/notification-rules/\(rule)", body: nil, thing: "Notification rule \(rule)")
                Terminal.print("rule \(rule): deleted")
            }
        }
    }
}
