import AnsFlowProtocol
import ControllerArtifacts
import ControllerCore
import ControllerHTTP
import ControllerIdentity
import ControllerLogs
import ControllerMaintenance
import ControllerStore
import Logging

/// Asks the running controller, or does it here while none runs: the data directory is never opened by two.
enum DataDirectory {
    static func ask(
        _ request: ControlRequest, in directory: String, retention policy: RetentionPolicy = RetentionPolicy()
    ) async throws -> ControlAnswer {
        if let answer = try ControlClient.ask(request, dataDirectory: directory) { return answer }
        guard Disk.exists(directory + "/ansflow.db") else {
            throw BackupRefusal("\(directory) is no controller's data directory. Name it with --data-dir.")
        }
        let logger = Logger(label: "ansflow.offline")
        let database = try Database.open(directory: directory, logger: logger)
        let logs = try LogStore(directory: directory + "/logs", configuration: .init(), events: .init(), logger: logger)
        do {
            let artifacts = try ArtifactStore(
                directory: directory + "/artifacts", repository: database, clock: Clocks.wall, logger: logger)
            let retention = Retention(
                policy: policy, repository: database, logs: logs, artifacts: artifacts, now: Clocks.wall,
                logger: logger)
            let vault = try await SecretVault.open(
                directory: directory, repository: database, clock: Clocks.wall, logger: logger)
            let writer = BackupWriter(
                dataDirectory: directory, version: HTTPConfiguration(now: { 0 }).version, database: database,
                logs: logs,
                artifacts: artifacts, now: Clocks.wall, logger: logger)
            let requests = OperatorRequests(
                database: database,
                users: UserAdministration(
                    database, hasher: PasswordHasher(IdentityConfiguration()), clock: Clocks.wall),
                vault: vault,
                backups: Backups(.init(), writer: writer, retention: retention, now: Clocks.wall, logger: logger),
                retention: retention)
            let answer = try await requests.handle(request)
            await logs.close()
            try database.close()
            return answer
        } catch {
            await logs.close()
            try? database.close()
            throw error
        }
    }
}

/// Looks into a backup with the parts that wrote it.
struct BackupInspector: BackupInspecting {
    func contents(ofDatabase path: String) throws -> BackupContents { try Database.contents(ofCopy: path) }

    func log(_ attempt: AttemptID, in directory: String) throws -> (bytes: UInt64, sha256: String)? {
        try LogStore.check(attempt, in: directory)
    }

    func unreadableSecrets(_ secrets: [SecretRow], key: [UInt8]) -> [String] {
        SecretVault.unreadable(secrets, key: key)
    }

    func auditFaults(inDatabase path: String) throws -> [String] { try Database.auditFaults(ofCopy: path) }
}
