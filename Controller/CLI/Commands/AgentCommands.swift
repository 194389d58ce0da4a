package import ArgumentParser

package struct AgentsCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "agents",
        abstract: "List agents (the same as `agent list`).",
        discussion: """
            Examples:
              ansflow agents
              ansflow agents --json
            """)

    @OptionGroup package var connection: ConnectionOptions

    package init() {}

    package func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.get("/api/v1/agents")
            if connection.json { return ConnectionOptions.printJSON(answer) }
            let listing = try answer.decode(Listing<AgentModel>.self)
            let style = Style()
            var table = Table(["ID", "NAME", "STATE", "SLOTS", "LABELS", "NOTE"])
            for agent in listing.items {
                table.add([
                    String(agent.id), agent.name, agent.state, "\(agent.busy ?? 0)/\(agent.slots ?? 0)",
                    agent.labelText,
                    agent.note ?? "",
                ])
            }
            Terminal.print(table.text { $0 == 2 ? style.status($1) : $1 })
            for agent in listing.items {
                if let clock = agent.clockText { Terminal.note("agent \(agent.nameText): its clock is \(clock)") }
                for alarm in agent.alarms ?? [] { Terminal.note("agent \(agent.nameText): \(alarm.line)") }
            }
            if listing.items.isEmpty {
                Terminal.note("No agent is enrolled yet: `ansflow agent-token create` says how to enrol one.")
            }
        }
    }
}

extension AgentModel {
    /// One word for people.
    package var state: String {
        if let status { return status }
        if revoked == true { return "revoked" }
        if connected == false { return "offline" }
        if draining == true { return "draining" }
        return paused == true ? "paused" : "online"
    }

    package var nameText: String { SafeText.line(name, colours: false) }

    /// How wrong its clock is; nil where that is not known, or so little that the way of a message explains it.
    package var clockText: String? {
        guard let ahead = clockAheadMs, ahead.magnitude >= 1000 else { return nil }
        let off = ahead.magnitude
        let (size, unit): (UInt64, String) =
            switch off {
            case ..<120_000: (1000, "s")
            case ..<7_200_000: (60_000, "min")
            case ..<172_800_000: (3_600_000, "h")
            default: (86_400_000, "days")
            }
        return "\((off + size / 2) / size) \(unit) \(ahead > 0 ? "ahead of" : "behind") the controller's"
    }

    package var labelText: String {
        (labels ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
    }
}

extension AgentModel.Alarm {
    package var line: String {
        let again = (count ?? 1) > 1 ? " (\(count ?? 1) times)" : ""
        return "alarm: " + SafeText.line(message, colours: false) + "\(again), \(Durations.short(at))"
    }
}

package struct AgentCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "agent",
        abstract: "List, show, pause, resume, drain and revoke agents, or say that one is gone.",
        discussion: """
            Examples:
              ansflow agent list
              ansflow agent pause builder1 --note "disk is being replaced"
              ansflow agent gone builder2 --reason "host burnt"
            """,
        subcommands: [
            AgentsList.self, Show.self, Pause.self, Resume.self, Drain.self, Revoke.self, Gone.self,
        ])

    package init() {}

    package struct AgentsList: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List agents.",
            discussion: """
                Examples:
                  ansflow agent list
                """)
        @OptionGroup package var command: AgentsCommand
        package init() {}
        package func run() async throws { try await command.run() }
    }
}

/// What every command about one agent takes.
package struct AgentTarget: ParsableArguments {
    @OptionGroup package var connection: ConnectionOptions
    @Argument(help: "Name or id of the agent.")
    package var agent: String

    package init() {}

    /// Finds the agent, asks the controller to change it and prints what came of it.
    func change(_ method: String, _ suffix: String, _ body: JSONValue?, done: String) async throws {
        try await connection.withClient { client in
            let found = try await Lookup.agent(agent, client)
            let answer = try await client.send(
                method, "/api/v1/agents/\(found.id)\(suffix)", body: body, thing: "Agent \(agent)")
            if connection.json { return ConnectionOptions.printJSON(answer) }
            Terminal.print("agent \(found.id) (\(found.name)): \(done)")
        }
    }
}

extension AgentCommand {
    package struct Show: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show an agent.",
            discussion: """
                Examples:
                  ansflow agent show builder1
                """)
        @OptionGroup package var target: AgentTarget
        package init() {}

        package func run() async throws {
            try await target.connection.withClient { client in
                let id = try await Lookup.agent(target.agent, client).id
                let answer = try await client.get("/api/v1/agents/\(id)", thing: "Agent \(target.agent)")
                if target.connection.json { return ConnectionOptions.printJSON(answer) }
                let agent = try answer.decode(AgentModel.self)
                Terminal.print(
                    "agent \(agent.id) (\(SafeText.line(agent.name, colours: false))): \(Style().status(agent.state))")
                let facts = [
                    ("slots", "\(agent.busy ?? 0) of \(agent.slots ?? 0) in use"), ("labels", agent.labelText),
                    ("note", agent.note ?? ""), ("version", agent.version ?? ""), ("address", agent.remote ?? ""),
                    ("containment", agent.containment ?? ""), ("clock", agent.clockText ?? ""),
                    ("last seen", Durations.short(agent.lastSeenAt)),
                ]
                for (name, value) in facts where !value.isEmpty {
                    Terminal.print("  \(RunText.padded(name, 12))\(SafeText.line(value, colours: false))")
                }
                for alarm in agent.alarms ?? [] { Terminal.print("  " + Style().paint(alarm.line, .red)) }
            }
        }
    }

    package struct Pause: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "pause", abstract: "Give an agent no new jobs; what runs there goes on.",
            discussion: """
                Examples:
                  ansflow agent pause builder1 --note "disk is being replaced"
                """)
        @OptionGroup package var target: AgentTarget
        @Option(name: .long, help: "Why; shown with the agent.")
        package var note: String?
        package init() {}

        package func run() async throws {
            let body = note.map { JSONValue.object(["note": .string($0)]) } ?? .object([:])
            try await target.change("POST", "/pause", body, done: "paused")
        }
    }

    package struct Resume: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "resume", abstract: "Let a paused agent take jobs again.",
            discussion: """
                Examples:
                  ansflow agent resume builder1
                """)
        @OptionGroup package var target: AgentTarget
        package init() {}

        package func run() async throws {
            try await target.change("POST", "/resume", .object([:]), done: "takes jobs")
        }
    }

    package struct Drain: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "drain", abstract: "Let an agent finish its jobs and give it no new ones.",
            discussion: """
                Examples:
                  ansflow agent drain builder1
                """)
        @OptionGroup package var target: AgentTarget
        package init() {}

        package func run() async throws {
            try await target.change("POST", "/drain", .object([:]), done: "drains")
        }
    }

    package struct Revoke: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "revoke", abstract: "Take an agent's access away for good; what runs there ends as lost.",
            discussion: """
                Examples:
                  ansflow agent revoke builder1
                """)
        @OptionGroup package var target: AgentTarget
        package init() {}

        package func run() async throws {
            try await target.change("DELETE", "", nil, done: "revoked")
        }
    }

    package struct Gone: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "gone",
            abstract: "Say that an unreachable agent will not come back; its attempts end as lost.",
            discussion: """
                Silence ends nothing by itself: a step may still run on a host that does not answer. This is how an operator says that \
                it does not. Who said so and why is kept.

                Examples:
                  ansflow agent gone builder2 --reason "host burnt"
                """)
        @OptionGroup package var target: AgentTarget
        @Option(name: .long, help: "How that is known; kept.")
        package var reason: String?
        package init() {}

        package func run() async throws {
            let body = reason.map { JSONValue.object(["reason": .string($0)]) } ?? .object([:])
            try await target.change("POST", "/gone", body, done: "gone; its attempts end as lost")
        }
    }
}
