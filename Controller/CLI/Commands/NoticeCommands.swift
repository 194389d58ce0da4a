package import ArgumentParser

/// `ansflow notice`: what people are told, and by which rules.
package struct NoticeCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "notice",
        abstract: "Read notices, list the rules that make them, and try a rule.",
        discussion: """
            Examples:
              ansflow notice list --unread
              ansflow notice read all
              ansflow notice add-target team-chat --format slack --address-secret CHAT_URL
              ansflow notice add-rule "tell the team" --on failed --on fixed --to team-chat
              ansflow notice rules
              ansflow notice test 2
            """,
        subcommands: [
            List.self, Read.self, Rules.self, AddTarget.self, AddRule.self, DeleteRule.self, Test.self,
        ])

    package init() {}
}

private struct NoticeModel: Decodable, Sendable {
    var id: Int64
    var event: String
    var title: String
    var message: String
    var at: String
    var runId: Int64?
    var readAt: String?
}

private struct NoticeRuleModel: Decodable, Sendable {
    var id: Int64
    var projectId: Int64
    var pipelineId: Int64?
    var name: String
    var on: [String]
    var inApp: Bool
    var webhook: String?
    var enabled: Bool
}

private struct NoticeTestModel: Decodable, Sendable {
    var delivered: Bool
    var answerStatus: Int?
    var detail: String
}

private struct MarkedModel: Decodable, Sendable {
    var marked: Int
}

extension NoticeCommand {
    package struct List: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List notices, the newest first.",
            discussion: """
                Examples:
                  ansflow notice list
                  ansflow notice list --unread --json
                """)

        @OptionGroup package var connection: ConnectionOptions
        @OptionGroup package var paging: Paging
        @Flag(name: .long, help: "Only those that you have not read.")
        package var unread = false

        package init() {}

        package func run() async throws {
            try await connection.withClient { client in
                let answer = try await client.get(
                    "/api/v1/notifications", query: paging.query + (unread ? [("unread", "true")] : []))
                if connection.json { return ConnectionOptions.printJSON(answer) }
                let listing = try answer.decode(Listing<NoticeModel>.self)
                var table = Table(["ID", "WHEN", "EVENT", "RUN", "TITLE", "MESSAGE"])
                for item in listing.items {
                    table.add([
                        String(item.id) + (item.readAt == nil ? "*" : ""), Durations.short(item.at), item.event,
                        item.runId.map(String.init) ?? "", item.title, item.message,
                    ])
                }
                Terminal.print(table.text())
                paging.note(shown: listing.items.count, total: listing.total)
            }
        }
    }

    package struct Read: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "read", abstract: "Mark notices as read.",
            discussion: """
                Examples:
                  ansflow notice read 9 10
                  ansflow notice read all
                """)

        @OptionGroup package var connection: ConnectionOptions
        @Argument(help: "Ids of notices, or `all`.")
        package var ids: [String]

        package init() {}

        package func validate() throws {
            if ids == ["all"] { return }
            guard !ids.isEmpty, ids.allSatisfy({ Int64($0) ?? 0 > 0 }) else {
                throw ValidationError("give ids of notices, or `all`")
            }
        }

        package func run() async throws {
            let read: JSONValue =
                ids == ["all"] ? .string("all") : .array(ids.compactMap { Int64($0) }.map { .int($0) })
            try await connection.withClient { client in
                let answer = try await client.post("/api/v1/notifications", .object(["read": read]))
                if connection.json { return ConnectionOptions.printJSON(answer) }
                Terminal.print("marked as read: \(try answer.decode(MarkedModel.self).marked)")
            }
        }
    }

    package struct Rules: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "rules", abstract: "List the rules that say who is told of what.",
            discussion: """
                Examples:
                  ansflow notice rules
                  ansflow notice rules --project 2 --json
                """)

        @OptionGroup package var connection: ConnectionOptions
        @Option(name: .long, help: "Name or id of the project (default: all).")
        package var project: String?

        package init() {}

        package func run() async throws {
            try await connection.withClient { client in
                let answer = try await client.get(
                    "/api/v1/notification-rules", query: Lookup.projectQuery(project, client))
                if connection.json { return ConnectionOptions.printJSON(answer) }
                var table = Table(["ID", "PROJECT", "PIPELINE", "NAME", "ON", "TO", "STATE"])
                for rule in try answer.decode(Listing<NoticeRuleModel>.self).items {
                    let places = (rule.inApp ? ["in the application"] : []) + (rule.webhook.map { [$0] } ?? [])
                    table.add([
                        String(rule.id), String(rule.projectId), rule.pipelineId.map(String.init) ?? "all", rule.name,
                        rule.on.joined(separator: ", "), places.joined(separator: ", "),
                        rule.enabled ? "on" : "off",
                    ])
                }
                Terminal.print(table.text())
            }
        }
    }

    package struct Test: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "test",
            abstract: "Send a test notice to a rule's target now; ends with 1 where it does not arrive.",
            discussion: """
                Examples:
                  ansflow notice test 2
                """)

        @OptionGroup package var connection: ConnectionOptions
        @Argument(help: "Id of the rule.")
        package var rule: Int64

        package init() {}

        package func run() async throws {
            try await connection.withClient { client in
                let answer = try await client.post(
                    "/api/v1/notification-rules/\(rule)/test", thing: "Notification rule \(rule)")
                let result = try answer.decode(NoticeTestModel.self)
                if connection.json {
                    ConnectionOptions.printJSON(answer)
                } else {
                    let status = result.answerStatus.map { " (\($0))" } ?? ""
                    Terminal.print(
                        (result.delivered ? "delivered" : "not delivered") + status + ": "
                            + SafeText.line(result.detail, colours: false))
                }
                if !result.delivered { throw ExitCode(1) }
            }
        }
    }
}
