package import ArgumentParser

package struct WhoamiCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "whoami",
        abstract: "Say who you are to the controller, and what you may do.",
        discussion: """
            Examples:
              ansflow whoami
              ANSFLOW_TOKEN=KEY ansflow whoami --json
            """)

    @OptionGroup package var connection: ConnectionOptions

    package init() {}

    package func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.get("/api/v1/auth/me")
            if connection.json { return ConnectionOptions.printJSON(answer) }
            let me = try answer.decode(MeModel.self)
            let how = me.authenticatedBy == "api_key" ? "an API key" : "a login"
            Terminal.print(
                "\(SafeText.line(me.username, colours: false)) (user \(me.id)\(me.isAdministrator ? ", administrator" : "")) "
                    + "by \(how) at \(client.endpoint.url)")
            Terminal.print("scopes: \(me.scopes.joined(separator: ", "))")
        }
    }
}

package struct UserCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "user",
        abstract: "Manage accounts, as an administrator.",
        discussion: """
            A password is never an argument, which others on this machine could see.

            Examples:
              ansflow user list
              ansflow user create octo
              ansflow user set octo --disabled yes
              ansflow user set octo --password-stdin < password.txt
              ansflow user delete octo
            """,
        subcommands: [List.self, Show.self, Create.self, Set.self, Delete.self])

    package init() {}
}

extension UserCommand {
    package struct List: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List users, by name.",
            discussion: """
                Examples:
                  ansflow user list
                  ansflow user list --search oct --json
                """)

        @OptionGroup package var connection: ConnectionOptions
        @OptionGroup package var paging: Paging
        @Option(name: .long, help: "Part of the name.")
        package var search: String?

        package init() {}

        package func run() async throws {
            try await connection.withClient { client in
                let query = paging.query + (search.map { [("q", $0)] } ?? [])
                let answer = try await client.get("/api/v1/users", query: query)
                if connection.json { return ConnectionOptions.printJSON(answer) }
                let listing = try answer.decode(Listing<UserModel>.self)
                var table = Table(["ID", "NAME", "WHAT", "SINCE"])
                for user in listing.items {
                    table.add([String(user.id), user.username, user.what, Durations.short(user.createdAt)])
                }
                Terminal.print(table.text())
                paging.note(shown: listing.items.count, total: listing.total)
            }
        }
    }

    package struct Show: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show one user.",
            discussion: """
                Examples:
                  ansflow user show octo
                """)

        @OptionGroup package var connection: ConnectionOptions
        @Argument(help: "Name or id.")
        package var user: String

        package init() {}

        package func run() async throws {
            try await connection.withClient { client in
                let id = try await Lookup.user(user, client).id
                UserCommand.show(try await client.get("/api/v1/users/\(id)", thing: "User \(user)"), connection)
            }
        }
    }

    package struct Create: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "create", abstract: "Make a user; the password is asked for.",
            discussion: """
                Examples:
                  ansflow user create octo
                  ansflow user create octo --administrator --password-stdin < password.txt
                """)

        @OptionGroup package var connection: ConnectionOptions
        @Argument(help: "The new user's name, without blanks.")
        package var name: String
        @Flag(name: .long, help: "May do everything.")
        package var administrator = false
        @Flag(name: .long, help: "Read the password from standard input instead of asking for it.")
        package var passwordStdin = false

        package init() {}

        package func run() async throws {
            let password = try NewPassword.read(of: name, fromInput: passwordStdin)
            try await connection.withClient { client in
                let answer = try await client.post(
                    "/api/v1/users",
                    .object([
                        "username": .string(name), "password": .string(password),
                        "is_administrator": .bool(administrator),
                    ]), thing: "User \(name)")
                UserCommand.show(answer, connection)
            }
        }
    }

    package struct Set: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "set", abstract: "Disable or enable a user, make one an administrator or not, set a password.",
            discussion: """
                All logins of a user who is disabled or gets another password end.

                Examples:
                  ansflow user set octo --disabled yes
                  ansflow user set octo --administrator no
                  ansflow user set octo --password
                """)

        @OptionGroup package var connection: ConnectionOptions
        @Argument(help: "Name or id.")
        package var user: String
        @Option(name: .long, help: "Whether the user is shut out: yes or no.")
        package var disabled: YesNo?
        @Option(name: .long, help: "Whether the user may do everything: yes or no.")
        package var administrator: YesNo?
        @Flag(name: .long, help: "Ask for a new password.")
        package var password = false
        @Flag(name: .long, help: "Read a new password from standard input.")
        package var passwordStdin = false

        package init() {}

        package func validate() throws {
            if disabled == nil, administrator == nil, !password, !passwordStdin {
                throw ValidationError("Say what to set: --disabled, --administrator, --password or --password-stdin.")
            }
        }

        package func run() async throws {
            var body: [String: JSONValue] = [:]
            if let disabled { body["disabled"] = .bool(disabled == .yes) }
            if let administrator { body["is_administrator"] = .bool(administrator == .yes) }
            if password || passwordStdin {
                body["password"] = .string(try NewPassword.read(of: user, fromInput: passwordStdin))
            }
            let request = JSONValue.object(body)
            try await connection.withClient { client in
                let id = try await Lookup.user(user, client).id
                let answer = try await client.send(
                    "PATCH", "/api/v1/users/\(id)", body: request, thing: "User \(user)")
                UserCommand.show(answer, connection)
            }
        }
    }

    package struct Delete: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "delete", abstract: "Delete a user with logins, API keys and memberships.",
            discussion: """
                What the user did stays in the audit log.

                Examples:
                  ansflow user delete octo
                """)

        @OptionGroup package var connection: ConnectionOptions
        @Argument(help: "Name or id.")
        package var user: String

        package init() {}

        package func run() async throws {
            try await connection.withClient { client in
                let found = try await Lookup.user(user, client)
                let answer = try await client.send("DELETE", "/api/v1/users/\(found.id)", thing: "User \(user)")
                if connection.json { return ConnectionOptions.printJSON(answer) }
                Terminal.print("user \(SafeText.line(found.username, colours: false)): deleted")
            }
        }
    }

    private static func show(_ answer: Answer, _ connection: ConnectionOptions) {
        if connection.json { return ConnectionOptions.printJSON(answer) }
        guard let user = try? answer.decode(UserModel.self) else { return }
        Terminal.print("user \(user.id) \(SafeText.line(user.username, colours: false)): \(user.what)")
    }
}

/// A yes or no that can also be left open.
package enum YesNo: String, ExpressibleByArgument, CaseIterable, Sendable {
    case yes, no
}
