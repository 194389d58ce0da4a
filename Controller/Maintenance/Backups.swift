package import ControllerCore
package import Logging
import NIOPosix

/// Backups of a running controller: by request and by time, the oldest of many removed.
package actor Backups {
    package struct Settings: Sendable {
        /// Holds the backups; nil where none are made.
        package var directory: String?
        /// Between two backups that nobody asked for; nil for none.
        package var everyMs: Int64?
        /// How many stay.
        package var keep: Int
        /// Seals the keys; without one they are left out.
        package var passphrase: String?

        package init(directory: String? = nil, everyMs: Int64? = nil, keep: Int = 7, passphrase: String? = nil) {
            self.directory = directory
            self.everyMs = everyMs
            self.keep = keep
            self.passphrase = passphrase
        }
    }

    package nonisolated let settings: Settings
    private let writer: BackupWriter
    private let retention: Retention
    private let now: @Sendable () -> Int64
    private let logger: Logger
    private var isBusy = false
    private(set) var lastFailure: String?
    private var made = 0
    private var failed = 0

    package init(
        _ settings: Settings, writer: BackupWriter, retention: Retention, now: @escaping @Sendable () -> Int64,
        logger: Logger
    ) {
        self.settings = settings
        self.writer = writer
        self.retention = retention
        self.now = now
        self.logger = logger
    }

    /// Makes one in any directory. Nothing is deleted meanwhile; everything else goes on.
    ///
    /// - Throws: ``BackupRefusal`` while another one is made.
    package func make(into directory: String, passphrase: String?) async throws -> BackupSummary {
        guard !isBusy else { throw BackupRefusal("Another backup is being made. Try again when it is done.") }
        isBusy = true
        defer { isBusy = false }
        do {
            let writer = self.writer
            let summary = try await retention.holding {
                try await writer.write(into: directory, passphrase: passphrase)
            }
            made += 1
            lastFailure = nil
            logger.info(
                "backup made",
                metadata: ["backup": "\(summary.name)", "files": "\(summary.files)", "bytes": "\(summary.bytes)"])
            return summary
        } catch {
            failed += 1
            lastFailure = "\(error)"
            throw error
        }
    }

    /// Whether the settings ask for one now: the newest is older than they say, or there is none.
    package func isDue() async -> Bool {
        guard settings.directory != nil, let every = settings.everyMs else { return false }
        guard let newest = try? await backups().first else { return true }
        return newest.createdAt <= now() - every
    }

    /// Makes one where the settings say, and removes the oldest beyond their number.
    package func makeScheduled() async throws {
        _ = try await makeBackup()
    }

    private func thin(_ directory: String) async throws {
        let keep = max(1, settings.keep)
        try await NIOThreadPool.singleton.runIfActive {
            for name in Self.list(directory).dropFirst(keep).map(\.name) {
                BackupFiles.removeTree("\(directory)/\(name)")
            }
        }
    }

    /// Whole backups, newest first. Blocks.
    package static func list(_ directory: String) -> [BackupSummary] {
        let summaries = BackupFiles.names(in: directory).filter { $0.hasPrefix("ansflow-") }.compactMap { name in
            (try? BackupManifest.read("\(directory)/\(name)"))?.summary(name)
        }
        return summaries.sorted { ($0.createdAt, $0.name) > ($1.createdAt, $1.name) }
    }

    /// Lines in Prometheus' text form.
    package func metrics() async -> String {
        var text = """
            # HELP ansflow_backups_made_total Backups made since the start.
            # TYPE ansflow_backups_made_total counter
            ansflow_backups_made_total \(made)
            # HELP ansflow_backups_failed_total Backups that failed since the start.
            # TYPE ansflow_backups_failed_total counter
            ansflow_backups_failed_total \(failed)

            """
        guard settings.directory != nil, let newest = try? await backups().first else { return text }
        text += """
            # HELP ansflow_backup_last_seconds When the newest backup was made, in seconds since 1970.
            # TYPE ansflow_backup_last_seconds gauge
            ansflow_backup_last_seconds \(newest.createdAt / 1000)

            """
        return text
    }
}

extension Backups: BackupService {
    package func makeBackup() async throws -> BackupSummary {
        guard let directory = settings.directory else {
            throw BackupRefusal("No place for backups is set. Start the controller with --backup-dir.")
        }
        let summary = try await make(into: directory, passphrase: settings.passphrase)
        try await thin(directory)
        return summary
    }

    package func backups() async throws -> [BackupSummary] {
        guard let directory = settings.directory else { return [] }
        return try await NIOThreadPool.singleton.runIfActive { Self.list(directory) }
    }
}
