package import AnsFlowProtocol

/// The moment that a backup shows.
package struct BackupCut: Equatable, Sendable {
    package var instance: String
    package var generation: Int64
    package var schema: Int

    package init(instance: String, generation: Int64, schema: Int) {
        self.instance = instance
        self.generation = generation
        self.schema = schema
    }
}

/// A file that belongs into a backup.
package struct BackupSource: Equatable, Sendable {
    /// Below its part's directory.
    package var name: String
    package var path: String
    /// How much of it; what is appended later is not taken.
    package var bytes: UInt64
    /// It never changes: it may be linked instead of copied.
    package var isFinal: Bool
    /// Where it is known, in lower-case hex.
    package var sha256: String?

    package init(name: String, path: String, bytes: UInt64, isFinal: Bool, sha256: String? = nil) {
        self.name = name
        self.path = path
        self.bytes = bytes
        self.isFinal = isFinal
        self.sha256 = sha256
    }
}

/// The database's part of a backup.
package protocol DatabaseBackup: Sendable {
    /// Writes the whole database as it is at one moment into a new file. Writers go on meanwhile.
    func copy(to path: String) async throws -> BackupCut
}

/// The logs' part of a backup.
package protocol LogBackup: Sendable {
    func storedAttempts() async throws -> [AttemptID]
    /// The file that holds an attempt's log now, all of the named bytes durable; `nil` where there is none any more. A log that is
    /// closed meanwhile has another file: ask again.
    func backupSource(_ attempt: AttemptID) async throws -> BackupSource?
}

/// The artifacts' part of a backup.
package protocol ArtifactBackup: Sendable {
    func backupSources() async throws -> [BackupSource]
}

/// What a backup's database says that must be beside it.
package struct BackupContents: Equatable, Sendable {
    package struct Log: Equatable, Sendable {
        package var attempt: AttemptID
        /// `nil` where the attempt goes on, or its log is known to be damaged.
        package var bytes: UInt64?
        package var sha256: String?

        package init(attempt: AttemptID, bytes: UInt64?, sha256: String?) {
            self.attempt = attempt
            self.bytes = bytes
            self.sha256 = sha256
        }
    }

    /// What is wrong with the database itself.
    package var faults: [String]
    package var runs: Int
    package var logs: [Log]
    /// Contents with their sizes.
    package var artifacts: [String: UInt64]
    package var secrets: [SecretRow]

    package init(
        faults: [String] = [], runs: Int = 0, logs: [Log] = [], artifacts: [String: UInt64] = [:],
        secrets: [SecretRow] = []
    ) {
        self.faults = faults
        self.runs = runs
        self.logs = logs
        self.artifacts = artifacts
        self.secrets = secrets
    }
}

/// Looks into a backup; nothing of it is changed. Methods block.
package protocol BackupInspecting: Sendable {
    func contents(ofDatabase path: String) throws -> BackupContents
    /// Length and hash of a stored log, every record checked; throws where one is damaged. `nil` where there is none.
    func log(_ attempt: AttemptID, in directory: String) throws -> (bytes: UInt64, sha256: String)?
    /// Names of secrets that the key does not open.
    func unreadableSecrets(_ secrets: [SecretRow], key: [UInt8]) -> [String]
    /// What is wrong with the audit log's chain.
    func auditFaults(inDatabase path: String) throws -> [String]
}

/// What a restore has left to be done by the first start behind it.
package struct PendingRestore: Equatable, Sendable {
    package var generation: Int64
    package var at: Int64
    package var backupAt: Int64

    package init(generation: Int64, at: Int64, backupAt: Int64) {
        self.generation = generation
        self.at = at
        self.backupAt = backupAt
    }
}

/// A backup as it was made.
package struct BackupSummary: Equatable, Sendable {
    package var name: String
    package var createdAt: Int64
    package var files: Int
    package var bytes: UInt64
    /// Whether it holds the keys, sealed under a passphrase.
    package var hasKeys: Bool

    package init(name: String, createdAt: Int64, files: Int, bytes: UInt64, hasKeys: Bool) {
        self.name = name
        self.createdAt = createdAt
        self.files = files
        self.bytes = bytes
        self.hasKeys = hasKeys
    }
}

/// Why no backup is made. The text is a sentence that names the cure.
package struct BackupRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

/// What people ask of backups.
package protocol BackupService: Sendable {
    /// Makes one in the directory that the settings name.
    ///
    /// - Throws: ``BackupRefusal``.
    func makeBackup() async throws -> BackupSummary
    /// Newest first.
    func backups() async throws -> [BackupSummary]
}
