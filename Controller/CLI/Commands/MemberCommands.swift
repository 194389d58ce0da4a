package import ArgumentParser

package struct MemberCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "member",
        abstract: "Show and change who may do what in a project.",
        discussion: """
            Roles, each with what those before it may do: viewer (reads), developer (starts and cancels runs), maintainer (pipelines, \
            secrets, hooks), owner (members, the project itself).

            Examples:
              ansflow member list widgets
              ansflow member set widgets octo developer
              ansflow member delete widgets octo
            """,
        subcommands: [List.self, Set.self, Delete.self])

    package init() {}
}

extension MemberCommand {
    package struct List: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List a project's members, by name.",
            discussion: """
                Examples:
                  ansflow member list widgets
                """)

        @OptionGroup package var connection: ConnectionOptions
        @OptionGroup package var paging: Paging
        @Argument(help: "Name or id of the project.")
        package var project: String

        package init() {}

        package func run() async throws {
            try await connection.withClient { client in
                let id = try await Lookup.project(project, client).id
                let answer = try await client.get(
                    "/api/v1/projects/\(id)/members", query: paging.query, thing: "Project \(project)")
                if connection.json { return ConnectionOptions.printJSON(answer) }
                let listing = try answer.decode(Listing<MemberModel>.self)
                var table = Table(["USER", "NAME", "ROLE", "ADDED BY"])
                for member in listing.items {
                    table.add([String(member.userId), member.username, member.role, member.addedBy])
                }
                Terminal.print(table.text())
                paging.note(shown: listing.items.count, total: listing.total)
            }
        }
    }

    package struct Set: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "set", abstract: "Add a member, or give one another role.",
            discussion: """
                Owners who are no administrators name the user by id: only administrators may look users up.

                Examples:
                  ansflow member set widgets octo developer
                """)

        @OptionGroup package var connection: ConnectionOptions
        @Argument(help: "Name or id of the project.")
        package var project: String
        @Argument(help: "Name or id of the user.")
        package var user: String
        @Argument(help: "viewer, developer, maintainer or owner.")
        package var role: String

        package init() {}

        package func run() async throws {
            try await connection.withClient { client in
                let id = try await Lookup.project(project, client).id
                let user = try await MemberCommand.user(self.user, of: id, client)
                let answer = try await client.send(
                    "PUT", "/api/v1/projects/\(id)/members/\(user)", body: .object(["role": .string(role)]),
                    thing: "User \(self.user)")
                if connection.json { return ConnectionOptions.printJSON(answer) }
                let member = try answer.decode(MemberModel.self)
                Terminal.print("\(SafeText.line(member.username, colours: false)): \(member.role)")
            }
        }
    }

    package struct Delete: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "delete", abstract: "Remove a member; everybody may leave.",
            discussion: """
                Examples:
                  ansflow member delete widgets octo
                """)

        @OptionGroup package var connection: ConnectionOptions
        @Argument(help: "Name or id of the project.")
        package var project: String
        @Argument(help: "Name or id of the user.")
        package var user: String

        package init() {}

        package func run() async throws {
            try await connection.withClient { client in
                let id = try await Lookup.project(project, client).id
                let user = try await MemberCommand.user(self.user, of: id, client)
                let answer = try await client.send(
                    "DELETE", "/api/v1/projects/\(id)/members/\(user)", thing: "Member \(self.user)")
                if connection.json { return ConnectionOptions.printJSON(answer) }
                Terminal.print("\(SafeText.line(self.user, colours: false)): no member any more")
            }
        }
    }

    /// Members are found by name by everybody in the project; others only by administrators.
    static func user(_ text: String, of project: Int64, _ client: APIClient) async throws -> Int64 {
        if let id = Int64(text) { return id }
        var page = 1
        while true {
            let query = [("page", String(page)), ("per_page", "100")]
            let listing = try await client.get("/api/v1/projects/\(project)/members", query: query)
                .decode(Listing<MemberModel>.self)
            if let found = listing.items.first(where: { $0.username == text }) { return found.userId }
            guard listing.items.count == 100 else { break }
            page += 1
        }
        return try await Lookup.user(text, client).id
    }
}
