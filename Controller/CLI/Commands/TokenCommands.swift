package import ArgumentParser
import FoundationEssentials

package struct AgentTokenCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "agent-token",
        abstract: "Make tokens with which agents enrol.",
        discussion: """
            Examples:
              ansflow agent-token create
            """,
        subcommands: [Create.self])

    package init() {}

    package struct Create: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "create", abstract: "Make a token that enrols one agent, once, soon.",
            discussion: """
                The token is the only line on standard output. With --agent it gives a known agent a new key and keeps its name \
                and history.

                Examples:
                  TOKEN=$(ansflow agent-token create)
                  ansflow-agent enrol --controller https://HOST:8443 --token "$TOKEN" --data-dir /var/lib/ansflow-agent --name builder1
                  ansflow agent-token create --agent builder1
                """)

        @OptionGroup package var connection: ConnectionOptions
        @Option(name: .long, help: "Name or id of an agent that gets a new key.")
        package var agent: String?

        package init() {}

        package func run() async throws {
            try await connection.withClient { client in
                var body: [String: JSONValue] = [:]
                if let agent { body["agent_id"] = .int(try await Lookup.agent(agent, client).id) }
                let answer = try await client.post("/api/v1/agents/enrolment-tokens", .object(body))
                if connection.json { return ConnectionOptions.printJSON(answer) }
                let made = try answer.decode(EnrolmentModel.self)
                Terminal.print(made.token)
                guard Terminal.isTerminal else { return }
                Terminal.note("It works once, until \(Durations.short(made.expiresAt)) UTC. On the agent's host:")
                let controller = made.controller ?? "https://HOST:8443"
                Terminal.note(
                    "  ansflow-agent enrol --controller \(controller) --token \(made.token) --data-dir DIR --name NAME"
                )
                Terminal.note("  ansflow-agent run --data-dir DIR")
            }
        }
    }
}

package struct APIKeyCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "api-key",
        abstract: "Create, list and delete API keys.",
        discussion: """
            Examples:
              ansflow api-key create --name nightly --scope run --scope read
              ANSFLOW_TOKEN=KEY ansflow runs
            """,
        subcommands: [Create.self, List.self, Delete.self], aliases: ["token"])

    package init() {}

    package struct Create: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "create",
            abstract: "Make an API key. It is shown once and is the only line on standard output.",
            discussion: """
                Examples:
                  ansflow api-key create --name nightly --scope read --scope run
                """)

        @OptionGroup package var connection: ConnectionOptions
        @Option(name: .long, help: "What it is for.")
        package var name: String
        @Option(name: .long, help: "What it may do: read, run, write or admin. May be repeated (default: read).")
        package var scope: [String] = []
        @Option(name: .long, help: "Days until it ends.")
        package var days: Int?

        package init() {}

        package func validate() throws {
            if let days, !(1...36_500).contains(days) { throw ValidationError("--days takes 1 to 36500") }
        }

        package func run() async throws {
            let scopes = scope.isEmpty ? ["read"] : scope
            var body: [String: JSONValue] = ["name": .string(name), "scopes": .array(scopes.map { .string($0) })]
            if let days {
                let end = Date.now.addingTimeInterval(Double(days) * 86_400)
                body["expires_at"] = .string(end.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
            }
            let request = JSONValue.object(body)
            try await connection.withClient { client in
                let answer = try await client.post("/api/v1/api-keys", request)
                if connection.json { return ConnectionOptions.printJSON(answer) }
                let made = try answer.decode(APIKeyModel.self)
                Terminal.print(made.key ?? "")
                if Terminal.isTerminal { Terminal.note("It is not shown again. Use it as ANSFLOW_TOKEN.") }
            }
        }
    }

    package struct List: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List your API keys, without their secrets.",
            discussion: """
                Examples:
                  ansflow api-key list
                  ansflow api-key list --all
                """)

        @OptionGroup package var connection: ConnectionOptions
        @Flag(name: .long, help: "Those of everybody, as an administrator.")
        package var all = false

        package init() {}

        package func run() async throws {
            try await connection.withClient { client in
                let answer = try await client.get(all ? "/api/v1/system/api-keys" : "/api/v1/api-keys")
                if connection.json { return ConnectionOptions.printJSON(answer) }
                let whose = all ? ["USER"] : []
                var table = Table(["ID"] + whose + ["NAME", "SCOPES", "CREATED", "EXPIRES", "LAST USED"])
                for key in try answer.decode(Listing<APIKeyModel>.self).items {
                    table.add(
                        [String(key.id)] + (all ? [key.username ?? ""] : []) + [
                            key.name ?? "", (key.scopes ?? []).joined(separator: ","), Durations.short(key.createdAt),
                            Durations.short(key.expiresAt), Durations.short(key.lastUsedAt),
                        ])
                }
                Terminal.print(table.text())
            }
        }
    }

    package struct Delete: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "delete", abstract: "Delete an API key; it stops working at once.",
            discussion: """
                Examples:
                  ansflow api-key delete 4
                  ansflow api-key delete 9 --anybodys
                """)

        @OptionGroup package var connection: ConnectionOptions
        @Flag(name: .long, help: "One that is not yours, as an administrator.")
        package var anybodys = false
        @Argument(help: "Id of the key.")
        package var id: Int64

        package init() {}

        package func run() async throws {
            try await connection.withClient { client in
                let path = anybodys ? "/api/v1/system/api-keys" : "/api/v1/api-keys"
                let answer = try await client.send("DELETE", "\(path)/\(id)", thing: "API key \(id)")
                if connection.json { return ConnectionOptions.printJSON(answer) }
                Terminal.print("API key \(id) deleted")
            }
        }
    }
}

package struct StatusCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Say how the controller is.",
        discussion: """
            Exits 1 where it answers but is not ready, 5 where it does not answer.

            Examples:
              ansflow status
              ansflow status --url https://ci.example.org --json
            """)

    @OptionGroup package var connection: ConnectionOptions

    package init() {}

    package func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.get("/api/v1/status")
            let (ready, detail) = try await client.exchange("GET", "/health/ready")
            if connection.json {
                ConnectionOptions.printJSON(answer)
            } else {
                let status = try answer.decode(Body.self)
                let word = ready == 200 ? status.status ?? "ready" : "not ready"
                Terminal.print(
                    "\(client.endpoint.url): \(Style().status(word)) (\(status.service ?? "?") \(status.version ?? "?"))"
                )
                if ready != 200 {
                    let failed = (try? detail.decode(Ready.self))?.checks?.filter { $0.ok == false } ?? []
                    for check in failed { Terminal.print("  \(check.name ?? "?"): \(check.detail ?? "failed")") }
                }
            }
            if ready != 200 { throw ExitCode(ClientFailure.Kind.negative.rawValue) }
        }
    }

    private struct Ready: Decodable {
        struct Check: Decodable {
            var name: String?
            var ok: Bool?
            var detail: String?
        }
        var checks: [Check]?
    }

    private struct Body: Decodable {
        var status: String?
        var service: String?
        var version: String?
    }
}
