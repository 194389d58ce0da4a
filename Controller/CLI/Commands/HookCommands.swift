package import ArgumentParser
import Glibc

package struct HookCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "hook",
        abstract: "Make, list, test and delete hooks: what forges and other senders may start runs by.",
        discussion: """
            Examples:
              ansflow hook create github --name widgets
              ansflow hook create generic --name registry --pipeline deploy
              ansflow hook list
              ansflow hook test 3
              ansflow hook add-secret 3
              ansflow hook delete 3
            """,
        subcommands: [Create.self, List.self, Test.self, AddSecret.self, DeleteSecret.self, Delete.self])

    package init() {}
}

private struct HookModel: Decodable, Sendable {
    struct Repository: Decodable, Sendable {
        var id: String?
        var url: String?
    }
    struct Secret: Decodable, Sendable {
        var id: Int64
        var createdAt: String?
    }

    var id: Int64
    var source: String
    var name: String
    var enabled: Bool?
    var url: String?
    var repository: Repository?
    var pipelines: [Int64]?
    var catchUp: String?
    var secrets: [Secret]?
    var secret: String?
    var lastDeliveryAt: String?

    /// What the sender needs.
    func tell(base: String) {
        let address = (url ?? "").hasPrefix("/") ? base + (url ?? "") : url ?? ""
        Terminal.print("address: \(SafeText.line(address, colours: false))")
        if let secret {
            Terminal.print("secret:  \(SafeText.line(secret, colours: false))")
            Terminal.note("The secret is not shown again. Choose application/json as the content type.")
        }
    }
}

/// A project's hooks.
package struct HookPlace: ParsableArguments {
    @OptionGroup package var connection: ConnectionOptions
    @OptionGroup package var project: ProjectOption

    package init() {}

    package func path(_ client: APIClient) async throws -> String {
        "/api/v1/projects/\(try await project.id(client))/hooks"
    }
}

extension HookCommand {
    package struct Create: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "create", abstract: "Make a hook and say which address and secret its sender needs.",
            discussion: """
                A forge's hook starts the pipelines of the project that check its repository out, or those that are named. The secret \
                is random unless --secret-from-stdin reads one from standard input.

                Examples:
                  ansflow hook create github --name widgets
                  ansflow hook create gitlab --name widgets --missed offer
                  ansflow hook create jenkins --name old-ci --pipeline deploy
                  ansflow hook create jenkins --name shown --pipeline nightly --mirror-builds
                """)

        @OptionGroup package var place: HookPlace
        @Argument(help: "github, gitlab, gitea (Forgejo too), bitbucket, jenkins or generic.")
        package var source: String
        @Option(name: .long, help: "Its name; `on.webhook.source` of a definition says it.")
        package var name: String?
        @Option(name: .long, help: "Id or name of a pipeline that it may start; repeatable.")
        package var pipeline: [String] = []
        @Option(name: .long, help: "The repository's address, where the pipelines name another one than the forge.")
        package var repository: String?
        @Option(name: .long, help: "Pushes that were never delivered: start, offer or off.")
        package var missed: String?
        @Flag(name: .long, help: "Show Jenkins' builds as runs of the pipelines instead of starting runs here.")
        package var mirrorBuilds = false
        @Flag(name: .long, help: "Read the secret from standard input.")
        package var secretFromStdin = false

        package init() {}

        package func run() async throws {
            var body: [String: JSONValue] = ["source": .string(source)]
            if let name { body["name"] = .string(name) }
            if let repository { body["repository"] = .object(["url": .string(repository)]) }
            if let missed { body["catch_up"] = .string(missed) }
            if mirrorBuilds { body["mirrors_builds"] = .bool(true) }
            if secretFromStdin {
                let bytes = SecretCommand.Set.value(try FileIO.read("-", limit: 4096))
                body["secret"] = .string(String(decoding: bytes, as: UTF8.self))
            }
            let asked = body
            try await place.connection.withClient { client in
                var body = asked
                var ids: [JSONValue] = []
                for text in pipeline { ids.append(.int(try await Lookup.pipeline(text, client).id)) }
                if !ids.isEmpty { body["pipelines"] = .array(ids) }
                let answer = try await client.post(
                    place.path(client), .object(body), thing: "Project \(place.project.text)")
                if place.connection.json { return ConnectionOptions.printJSON(answer) }
                let hook = try answer.decode(HookModel.self)
                Terminal.print("hook \(hook.id) (\(SafeText.line(hook.name, colours: false))): made")
                hook.tell(base: client.endpoint.url)
            }
        }
    }

    package struct List: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List a project's hooks.",
            discussion: """
                Examples:
                  ansflow hook list
                  ansflow hook list --project 2 --json
                """)

        @OptionGroup package var place: HookPlace

        package init() {}

        package func run() async throws {
            try await place.connection.withClient { client in
                let answer = try await client.get(place.path(client), thing: "Project \(place.project.text)")
                if place.connection.json { return ConnectionOptions.printJSON(answer) }
                var table = Table([
                    "ID", "NAME", "SOURCE", "STATE", "REPOSITORY", "PIPELINES", "MISSED", "SECRETS", "LAST",
                ])
                let hooks = try answer.decode(Listing<HookModel>.self).items
                for hook in hooks {
                    let pipelines = (hook.pipelines ?? []).map(String.init).joined(separator: " ")
                    table.add([
                        String(hook.id), hook.name, hook.source, hook.enabled == false ? "off" : "on",
                        hook.repository?.url ?? hook.repository?.id ?? "not yet", pipelines.isEmpty ? "all" : pipelines,
                        hook.catchUp ?? "", (hook.secrets ?? []).map { String($0.id) }.joined(separator: " "),
                        Durations.short(hook.lastDeliveryAt),
                    ])
                }
                Terminal.print(table.text())
                if hooks.isEmpty { Terminal.note("There is no hook yet: ansflow hook create github --name NAME") }
            }
        }
    }

    package struct Test: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "test",
            abstract: "Send a delivery that starts nothing through everything behind the check of signatures.",
            discussion: """
                Examples:
                  ansflow hook test 3
                """)

        @OptionGroup package var place: HookPlace
        @Argument(help: "The hook's id.")
        package var hook: Int64

        package init() {}

        package func run() async throws {
            try await place.connection.withClient { client in
                let answer = try await client.post(
                    "\(place.path(client))/\(hook)/test", .object([:]),
                    thing: "Hook \(hook) of project \(place.project.text)")
                if place.connection.json { return ConnectionOptions.printJSON(answer) }
                let id = try answer.decode(EventReference.self).eventId
                Terminal.print("event \(id): stored; see: ansflow webhook show \(id)")
            }
        }
    }

    package struct AddSecret: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "add-secret",
            abstract: "Add a random secret beside the old one; delete the old one once the sender uses the new.",
            discussion: """
                Examples:
                  ansflow hook add-secret 3
                """)

        @OptionGroup package var place: HookPlace
        @Argument(help: "The hook's id.")
        package var hook: Int64

        package init() {}

        package func run() async throws {
            try await place.connection.withClient { client in
                let answer = try await client.post(
                    "\(place.path(client))/\(hook)/secrets", .object([:]),
                    thing: "Hook \(hook) of project \(place.project.text)")
                if place.connection.json { return ConnectionOptions.printJSON(answer) }
                try answer.decode(HookModel.self).tell(base: client.endpoint.url)
            }
        }
    }

    package struct DeleteSecret: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "delete-secret",
            abstract: "Delete an old secret of a hook.",
            discussion: """
                Examples:
                  ansflow hook delete-secret 3 7
                """)

        @OptionGroup package var place: HookPlace
        @Argument(help: "The hook's id.")
        package var hook: Int64
        @Argument(help: "The secret's id, as `hook list` shows it.")
        package var secret: Int64

        package init() {}

        package func run() async throws {
            try await place.connection.withClient { client in
                _ = try await client.send(
                    "DELETE", "\(place.path(client))/\(hook)/secrets/\(secret)", body: nil, thing: "Secret \(secret)")
                Terminal.print("secret \(secret) of hook \(hook): deleted")
            }
        }
    }

    package struct Delete: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "delete", abstract: "Delete a hook; what it has started stays.",
            discussion: """
                Examples:
                  ansflow hook delete 3
                """)

        @OptionGroup package var place: HookPlace
        @Argument(help: "The hook's id.")
        package var hook: Int64

        package init() {}

        package func run() async throws {
            try await place.connection.withClient { client in
                _ = try await client.send(
                    "DELETE", "\(place.path(client))/\(hook)", body: nil,
                    thing: "Hook \(hook) of project \(place.project.text)")
                Terminal.print("hook \(hook): deleted")
            }
        }
    }
}

/// An answer that names an event.
struct EventReference: Decodable, Sendable {
    var eventId: Int64
}
