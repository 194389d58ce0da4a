package import ArgumentParser

package struct AuditCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Who did what to what, from where, and whether that log is whole.",
        subcommands: [AuditListCommand.self, AuditVerifyCommand.self])

    package init() {}
}

package struct AuditListCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List what was done, newest first.",
        discussion: """
            Examples:
              ansflow audit list
              ansflow audit list --user octo --since 2026-01-31T00:00:00Z
              ansflow audit list --object pipeline/3
              ansflow audit list --operation login --result refused --limit 1000 --json
            """)

    private struct Row: Decodable, Sendable {
        var id: Int64
        var at: String
        var actor: String
        var user: String
        var operation: String
        var objectType: String
        var objectId: String
        var result: String
        var fields: [String]
        var detail: String
        var remote: String
    }

    private struct Listing: Decodable, Sendable {
        var items: [Row]
        var nextBefore: Int64?
    }

    @OptionGroup package var connection: ConnectionOptions
    @Option(name: .long, help: "Only of this user, agent or part of AnsFlow.")
    package var user: String?
    @Option(name: .long, help: "Only this operation, by its id in /openapi.json.")
    package var operation: String?
    @Option(name: .long, help: "Only of this object: TYPE or TYPE/ID, as pipeline/3.")
    package var object: String?
    @Option(name: .long, help: "Only with this result: success, refused or failed.")
    package var result: String?
    @Option(name: .long, help: "At this time or later, as 2026-01-31T12:00:00Z.")
    package var since: String?
    @Option(name: .long, help: "Before or at this time.")
    package var until: String?
    @Option(name: .long, help: "Only rows below this number.")
    package var before: Int64?
    @Option(name: .long, help: "At most so many, 1 to 1000.")
    package var limit = 50

    package init() {}

    package func run() async throws {
        var query = [("limit", String(limit))]
        for (name, value) in [
            ("user", user), ("operation", operation), ("result", result), ("since", since), ("until", until),
            ("before", before.map { String($0) }),
        ] {
            if let value { query.append((name, value)) }
        }
        if let object {
            let parts = object.split(separator: "/", maxSplits: 1).map(String.init)
            if let type = parts.first { query.append(("object_type", type)) }
            if parts.count == 2 { query.append(("object_id", parts[1])) }
        }
        try await connection.withClient { client in
            let answer = try await client.get("/api/v1/audit-logs", query: query)
            if connection.json { return ConnectionOptions.printJSON(answer) }
            let listing = try answer.decode(Listing.self)
            var table = Table(["ID", "WHEN", "WHO", "WHAT", "OBJECT", "RESULT", "FROM", "FIELDS"])
            for row in listing.items {
                let who = row.actor == "user" ? row.user : row.user.isEmpty ? row.actor : "\(row.user) (\(row.actor))"
                let object = row.objectId.isEmpty ? row.objectType : "\(row.objectType)/\(row.objectId)"
                let result = row.detail.isEmpty ? row.result : "\(row.result): \(row.detail)"
                table.add([
                    String(row.id), row.at, who, row.operation, object, result, row.remote,
                    row.fields.joined(separator: ","),
                ])
            }
            Terminal.print(table.text())
            if let next = listing.nextBefore { Terminal.note("There may be more: --before \(next)") }
        }
    }
}

package struct AuditVerifyCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Read the whole audit log and say whether it is as it was written.",
        discussion: """
            Each row's hash covers the row before. Who can write the database could still write the whole log anew: note the \
            last line of this command elsewhere, or keep the controller's log, which says it once an hour, and give it back \
            with --anchor. The exit code is 1 where a row was changed or is missing.

            Examples:
              ansflow audit verify
              ansflow audit verify --anchor 1204:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03
            """)

    private struct Verdict: Decodable, Sendable {
        var ok: Bool
        var checked: Int64
        var headId: Int64
        var headHash: String
        var fault: String?
    }

    @OptionGroup package var connection: ConnectionOptions
    @Option(name: .long, help: "ID:HASH of a row, as it was noted before.")
    package var anchor: String?

    package init() {}

    package func run() async throws {
        var query: [(String, String)] = []
        if let anchor {
            let parts = anchor.split(separator: ":").map(String.init)
            guard parts.count == 2 else {
                throw ValidationError("--anchor is \(anchor); it must be a row's number, a colon and its hash.")
            }
            query = [("id", parts[0]), ("hash", parts[1])]
        }
        let isWhole = try await connection.withClient { client in
            let answer = try await client.get("/api/v1/audit-logs/verify", query: query)
            let verdict = try answer.decode(Verdict.self)
            if connection.json {
                ConnectionOptions.printJSON(answer)
            } else {
                Terminal.print(verdict.fault ?? "All \(verdict.checked) rows are as they were written.")
                Terminal.print("anchor \(verdict.headId):\(verdict.headHash)")
            }
            return verdict.ok
        }
        guard isWhole else { throw ExitCode(1) }
    }
}
