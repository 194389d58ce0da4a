package import ArgumentParser

package struct DeleteCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete runs that have ended, with their logs, artifacts and test results.",
        discussion: """
            It can't be undone. A pinned run is not deleted.

            Examples:
              ansflow delete 7
              ansflow delete 7 8 9
            """)

    @OptionGroup package var connection: ConnectionOptions
    @Argument(help: "Numbers of the runs.")
    package var runs: [Int64]

    package init() {}

    package func run() async throws {
        try await connection.withClient { client in
            for run in runs {
                _ = try await client.send("DELETE", "/api/v1/pipeline-runs/\(run)", thing: "Run \(run)")
                if !connection.json { Terminal.print("run \(run): deleted") }
            }
        }
    }
}

package struct SystemCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "system",
        abstract: "Backups and retention of the controller, for administrators.",
        subcommands: [Backup.self, Backups.self, Retention.self])

    package init() {}

    package struct Backup: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "backup", abstract: "Make a backup now, in the directory of the controller's --backup-dir.",
            discussion: """
                Examples:
                  ansflow system backup
                """)
        @OptionGroup package var connection: ConnectionOptions
        package init() {}

        package func run() async throws {
            try await connection.withClient { client in
                let answer = try await client.post("/api/v1/system/backups", thing: "The backup")
                if connection.json { return ConnectionOptions.printJSON(answer) }
                let made = try answer.decode(BackupModel.self)
                Terminal.print("backup \(made.name): \(made.files) files, \(made.bytes) bytes")
                if !made.hasKeys { Terminal.note("It has no keys: the controller was given no passphrase for them.") }
            }
        }
    }

    package struct Backups: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "backups", abstract: "List the backups, newest first.",
            discussion: """
                Examples:
                  ansflow system backups
                """)
        @OptionGroup package var connection: ConnectionOptions
        package init() {}

        package func run() async throws {
            try await connection.withClient { client in
                let answer = try await client.get("/api/v1/system/backups")
                if connection.json { return ConnectionOptions.printJSON(answer) }
                var table = Table(["BACKUP", "MADE", "FILES", "BYTES", "KEYS"])
                for backup in try answer.decode(Listing<BackupModel>.self).items {
                    table.add([
                        backup.name, Durations.short(backup.createdAt), String(backup.files), String(backup.bytes),
                        backup.hasKeys ? "sealed" : "none",
                    ])
                }
                Terminal.print(table.text())
            }
        }
    }

    package struct Retention: AsyncParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "retention",
            abstract: "Remove now what is older or more than the controller's settings say, or only list it.",
            discussion: """
                Examples:
                  ansflow system retention --dry-run
                """)
        @OptionGroup package var connection: ConnectionOptions
        @Flag(name: .long, help: "Remove nothing, only say what would go.")
        package var dryRun = false
        package init() {}

        package func run() async throws {
            try await connection.withClient { client in
                let answer = try await client.send(
                    "POST", "/api/v1/system/retention", query: [("dry_run", String(dryRun))], thing: "Retention")
                if connection.json { return ConnectionOptions.printJSON(answer) }
                let report = try answer.decode(RetentionModel.self)
                var table = Table(["WHAT", "RUN", "PIPELINE", "ENDED", "WHY", "BYTES"])
                for (what, part) in [("run", report.runs), ("log", report.logs), ("artifacts", report.artifacts)] {
                    for item in part.items {
                        table.add([
                            what, String(item.runId), "\(item.pipelineName) #\(item.number)",
                            Durations.short(item.finishedAt), item.reason, String(item.bytes),
                        ])
                    }
                }
                Terminal.print(table.text())
                Terminal.note(
                    "\(report.runs.count) runs, logs of \(report.logs.count) and artifacts of "
                        + "\(report.artifacts.count) other runs \(dryRun ? "would go" : "went")")
            }
        }
    }
}

package struct BackupModel: Decodable, Sendable {
    package var name: String
    package var createdAt: String
    package var files: Int
    package var bytes: UInt64
    package var hasKeys: Bool
}

package struct RetentionModel: Decodable, Sendable {
    package struct Item: Decodable, Sendable {
        package var runId: Int64
        package var pipelineName: String
        package var number: Int64
        package var finishedAt: String
        package var reason: String
        package var bytes: UInt64
    }

    package struct Part: Decodable, Sendable {
        package var count: Int
        package var items: [Item]
    }

    package var runs: Part
    package var logs: Part
    package var artifacts: Part
}
