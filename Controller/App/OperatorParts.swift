import AnsFlowProtocol
import ControllerArtifacts
import ControllerCore
import ControllerHTTP
import ControllerIdentity
import ControllerLogs
import ControllerMaintenance
import ControllerStore
import Logging
import ServiceLifecycle

/// What a running controller has for its operators.
struct OperatorParts: Sendable {
    let backups: Backups
    private let retention: Retention
    private let requests: OperatorRequests
    private let dataDirectory: String

    init(
        _ settings: ControllerSettings, database: Database, logs: LogStore, artifacts: ArtifactStore,
        retention: Retention, vault: SecretVault, users: UserAdministration
    ) {
        let logger = Logger(label: "ansflow.backup")
        dataDirectory = settings.dataDirectory
        self.retention = retention
        backups = Backups(
            settings.backups,
            writer: BackupWriter(
                dataDirectory: settings.dataDirectory, version: HTTPConfiguration(now: { 0 }).version,
                database: database, logs: logs, artifacts: artifacts, now: Clocks.wall, logger: logger),
            retention: retention, now: Clocks.wall, logger: logger)
        requests = OperatorRequests(
            database: database, users: users, vault: vault, backups: backups, retention: retention)
    }

    /// A run that was being started while its project or pipeline was deleted.
    static func cancel(_ run: RunID, _ engine: Engine) async throws {
        do {
            _ = try await engine.cancelRun(
                run, by: "deletion", reason: "What it belongs to was deleted.", force: false, skipFinally: true)
        } catch CommandFailure.notFound {
            return
        } catch CommandFailure.conflict {
            // It has ended meanwhile.
            return
        }
    }

    func attach(to services: inout HTTPServices) {
        services.retention = retention
        services.backups = backups
        let others = services.extraMetrics
        services.extraMetrics = { [backups] in await backups.metrics() + (await others()) }
    }

    func controlSocket() async throws -> ControlSocket {
        try await ControlSocket.bind(
            dataDirectory: dataDirectory, handler: requests, logger: Logger(label: "ansflow.control"))
    }
}

/// Answers commands on this host.
struct ControlService: Service {
    let socket: ControlSocket

    func run() async throws {
        await cancelWhenGracefulShutdown {
            try? await socket.run()
            // Without it everything else goes on; the end of a service would end all of them.
            while (try? await Task.sleep(for: .seconds(3600))) != nil {}
        }
    }
}

/// Makes the backups that the settings ask for, looking once a minute whether one is due.
struct BackupTimer: Service {
    let backups: Backups
    private static let interval = Duration.seconds(60)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            // A clock that never runs out where no backups are asked for.
            while (try? await Task.sleep(for: Self.interval)) != nil {
                guard await backups.isDue() else { continue }
                do {
                    try await backups.makeScheduled()
                } catch is CancellationError {
                    return
                } catch {
                    Logger(label: "ansflow.backup").error(
                        "the backup failed; it is tried again in a minute", metadata: ["error": "\(error)"])
                }
            }
        }
    }
}

/// Behind a restore nobody knows what became of runs that had not ended: none of them goes on by itself.
enum RestoredRuns {
    static func settle(_ database: Database, _ engine: Engine, _ logger: Logger) async throws {
        guard let restore = try await database.pendingRestore() else { return }
        let reason =
            "The controller was restored from a backup of \(Timestamp.text(restore.backupAt)). Whether this run went on "
            + "behind it is not known; run it again if it is needed."
        var count = 0
        for run in try await database.unfinishedRuns() {
            do {
                _ = try await engine.cancelRun(run, by: "restore", reason: reason, force: true, skipFinally: true)
                count += 1
            } catch CommandFailure.notFound {
                continue
            }
        }
        try await database.settleRestores()
        logger.notice(
            "restored from a backup",
            metadata: ["generation": "\(restore.generation)", "runs_cancelled": "\(count)"])
    }
}
