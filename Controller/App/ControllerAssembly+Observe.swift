import ControllerCore
import ControllerHTTP
import ControllerIdentity
import ControllerStore
import Logging
import ServiceLifecycle

extension ControllerAssembly {
    /// What tells operators how the controller does, and who did what.
    func observe(
        _ services: inout HTTPServices, _ database: Database, _ disk: Disk, _ ingest: LogIngest,
        _ sessions: SessionService,
        _ roller: AnalyticsRoller
    ) {
        services.audit = database
        services.analytics = database
        services.rollUp = { try await roller.rollUp() }
        services.pipelinesVersion = { database.pipelinesVersion }
        services.agentsVersion = { database.agentsVersion }
        services.caches = [PipelineReader.definitions, sessions]
        let metrics = ControllerMetrics(
            database: database, disk: disk, ingest: ingest, dataDirectory: settings.dataDirectory,
            version: HTTPConfiguration(now: Clocks.wall).version, started: Clocks.wall())
        let others = services.extraMetrics
        services.extraMetrics = { await metrics.text() + (await others()) }
    }
}

extension ControllerAssembly {
    func tellOfFirstAdministrator(_ audit: any AuditLog) async throws {
        try await audit.record(
            AuditEntry(
                at: Clocks.wall(), actor: .system, name: "first start", operation: "createFirstAdministrator",
                objectType: "user", objectID: Bootstrap.administrator))
    }
}

/// Writes the audit log's newest hash to the log once an hour: whoever rewrites the database can't rewrite what was sent there.
struct AuditHeadService: Service {
    let audit: any AuditLog
    let logger = Logger(label: "ansflow.audit")

    func run() async throws {
        await cancelWhenGracefulShutdown {
            repeat { await tell() } while (try? await Task.sleep(for: .seconds(3600))) != nil
        }
        await tell()
    }

    private func tell() async {
        guard let head = try? await audit.head() else { return }
        logger.info("audit head", metadata: ["id": "\(head.id)", "hash": "\(head.hash)"])
    }
}

/// Log lines of a request's task carry its id and trace.
enum RequestMetadata {
    static let provider = Logger.MetadataProvider {
        guard let mark = RequestMark.current else { return [:] }
        var metadata: Logger.Metadata = ["request_id": "\(mark.requestID)"]
        if let trace = mark.trace { metadata["traceparent"] = "\(trace)" }
        return metadata
    }
}
