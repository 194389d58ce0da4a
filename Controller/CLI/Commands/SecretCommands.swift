package import ArgumentParser
import Glibc

package struct SecretCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "secret",
        abstract: "Set, list and delete secrets, which steps get by name and nobody gets to read.",
        discussion: """
            A pipeline's step asks for a secret with `secrets: {VARIABLE: NAME}`. One of the job's environment goes before one \
            of the project.

            Examples:
              ansflow secret set registry_key < key.txt
              ansflow secret set deploy_key --env production < id_ed25519
              ansflow secret list
              ansflow secret delete registry_key
            """,
        subcommands: [Set.self, List.self, Delete.self])

    package init() {}
}

/// Where a secret belongs.
package struct SecretPlace: ParsableArguments {
    @OptionGroup package var connection: ConnectionOptions
    @OptionGroup package var project: ProjectOption
    @Option(
        name: [.customLong("env"), .customLong("environment")],
        help: "The environment that it is for; without it, the whole project.")
    package var environment: String?

    package init() {}

    package func path(_ client: APIClient) async throws -> String {
        let project = "/api/v1/projects/\(try await project.id(client))"
        guard let environment else { return project + "/secrets" }
        return "\(project)/environments/\(APIClient.escaped(environment))/secrets"
    }
}

private struct SecretModel: Decodable, Sendable {
    var name: String
    var environment: String?
    var version: Int?
    var updatedAt: String?
    var updatedBy: String?
    var masked: Bool?
}

extension SecretCommand {
    package struct Set: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "set", abstract: "Set or replace a secret; its value is read from standard input.",
            discussion: """
                The value is never an argument, which others on this machine could see. The line feed behind a value of one \
                line is dropped; a value of several lines, such as a key, is kept as it is.

                Examples:
                  ansflow secret set registry_key < key.txt
                  printf %s "$TOKEN" | ansflow secret set token --env production
                """)
        static let valueBytesMax = 64 * 1024

        @OptionGroup package var place: SecretPlace
        @Argument(help: "A letter or underscore, then letters, digits and underscores.")
        package var name: String

        package init() {}

        package func run() async throws {
            if isatty(0) == 1 { Terminal.note("Type the value, then end with Ctrl-D:") }
            let bytes = Self.value(try FileIO.read("-", limit: Self.valueBytesMax + 2))
            guard !bytes.isEmpty else {
                throw ClientFailure(
                    .usage, "Standard input is empty.", cure: "Give the value: ansflow secret set \(name) < FILE")
            }
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw ClientFailure(
                    .usage, "The value is not UTF-8 text.", cure: "Encode it first, with base64 for one.")
            }
            try await place.connection.withClient { client in
                let answer = try await client.send(
                    "PUT", "\(place.path(client))/\(APIClient.escaped(name))", body: .object(["value": .string(text)]),
                    thing: "Project \(place.project.text)")
                if place.connection.json { return ConnectionOptions.printJSON(answer) }
                let made = try answer.decode(SecretModel.self)
                let whose = place.environment.map { " of \(SafeText.line($0, colours: false))" } ?? ""
                Terminal.print("secret \(name)\(whose): set (version \(made.version ?? 1))")
                if made.masked == false {
                    Terminal.note("It has fewer than 4 characters, so logs are not masked for it.")
                }
            }
        }

        /// Without the line feed behind a single line.
        static func value(_ bytes: [UInt8]) -> [UInt8] {
            guard bytes.last == 10 else { return bytes }
            var line = bytes.dropLast()
            if line.last == 13 { line = line.dropLast() }
            return line.contains(10) ? bytes : [UInt8](line)
        }
    }

    package struct List: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the names of secrets.",
            discussion: """
                Examples:
                  ansflow secret list
                  ansflow secret list --env production
                """)

        @OptionGroup package var place: SecretPlace

        package init() {}

        package func run() async throws {
            try await place.connection.withClient { client in
                let answer = try await client.get(place.path(client), thing: "Project \(place.project.text)")
                if place.connection.json { return ConnectionOptions.printJSON(answer) }
                var table = Table(["NAME", "VERSION", "SET", "BY"])
                for secret in try answer.decode(Listing<SecretModel>.self).items {
                    table.add([
                        secret.name, String(secret.version ?? 1), Durations.short(secret.updatedAt),
                        secret.updatedBy ?? "",
                    ])
                }
                Terminal.print(table.text())
            }
        }
    }

    package struct Delete: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "delete", abstract: "Delete a secret; steps that name it then fail to start.",
            discussion: """
                Examples:
                  ansflow secret delete registry_key
                """)

        @OptionGroup package var place: SecretPlace
        @Argument(help: "The secret's name.")
        package var name: String

        package init() {}

        package func run() async throws {
            try await place.connection.withClient { client in
                _ = try await client.send(
                    "DELETE", "\(place.path(client))/\(APIClient.escaped(name))", body: nil, thing: "Secret \(name)")
                Terminal.print("secret \(name): deleted")
            }
        }
    }
}
