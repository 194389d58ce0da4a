import AnsFlowProtocol
import ControllerArtifacts
import ControllerCore
import ControllerGateway
import ControllerHTTP
import ControllerIdentity
import ControllerLogs
import ControllerMaintenance
import ControllerPipelines
import ControllerRealtime
import ControllerRepositories
import ControllerStore
import Glibc
import Logging
import ServiceLifecycle
import UnixSignals

/// Puts a controller together and runs it.
struct ControllerAssembly {
    let settings: ControllerSettings
    let logger = Logger(label: "ansflow.controller")

    init(_ settings: ControllerSettings) {
        self.settings = settings
    }

    func run() async throws {
        let database = try Database.open(directory: settings.dataDirectory, logger: logger)
        let authority = try CertificateAuthority.open(directory: settings.dataDirectory)
        let identity = IdentityConfiguration()
        let hasher = PasswordHasher(identity)
        let password = try await Bootstrap.firstAdministrator(
            database, passwordFromEnvironment: settings.adminPassword, hasher: hasher, now: Clocks.wall())
        if password != nil { try await tellOfFirstAdministrator(database) }
        let sessions = await SessionService(
            database, signingKey: try SigningKey.load(settings.dataDirectory + "/signing.key"), hasher: hasher,
            configuration: identity, clock: Clocks.wall)

        let logger = self.logger
        let end: @Sendable (String) -> Void = { reason in
            logger.critical("the disk failed; the process ends", metadata: ["reason": "\(reason)"])
            _exit(74)
        }
        let vault = try await SecretVault.open(
            directory: settings.dataDirectory, repository: database, clock: Clocks.wall,
            logger: Logger(label: "ansflow.secrets"))
        let disk = Disk(directory: settings.dataDirectory, floorBytes: settings.diskFloorBytes)
        let ingest = LogIngest(hasRoom: { disk.takesBytes }, logger: Logger(label: "ansflow.logs"))
        let logs = try LogStore(
            directory: settings.dataDirectory + "/logs", configuration: .init(),
            events: .init(durable: { ingest.durable($0, next: $1) }, fatal: { end("\($0)") }),
            logger: Logger(label: "ansflow.logs"))
        var keeping = ArtifactConfiguration()
        if let keepMs = settings.artifactKeepMs { keeping.keepMsDefault = keepMs }
        let artifacts = try ArtifactStore(
            directory: settings.dataDirectory + "/artifacts", repository: database, configuration: keeping,
            clock: Clocks.wall,
            shortage: { disk.shortage }, logger: Logger(label: "ansflow.artifacts"))
        let router = EffectRouter()
        let crash = settings.crashPoint.flatMap { CrashPoint($0) }
        let engine = try await Engine(
            store: database, sink: router, time: EngineTime(wall: Clocks.wall, steady: Clocks.steady),
            logger: Logger(label: "ansflow.engine"),
            publicURL: settings.linkBase, fatal: end, checkpoint: { crash?.reached($0) },
            storedLog: { attempt in
                (try? await logs.info(attempt)).map { StoredLog(bytes: $0.bytes, lines: $0.lines) }
            })

        try await RestoredRuns.settle(database, engine, logger)
        let generation = try await database.generation()
        let gateway = try await ListenFailure.named("--agent-listen", settings.agentListen) {
            try await Gateway.bind(
                .init(
                    host: settings.agentListen.host, port: settings.agentListen.port, names: settings.agentNames),
                authority: authority,
                directory: EnrolledAgents(
                    repository: database, engine: engine, fingerprint: authority.fingerprint, audit: database),
                events: AgentSessions(engine: engine, ingest: ingest), artifacts: artifacts,
                state: .init(writable: { !engine.isHalted }, generation: { generation }),
                logger: Logger(label: "ansflow.gateway"))
        }
        let reader = LogReader(store: logs)
        let hub = EventHub(
            reading: TopicStore(
                queries: database, pipelines: database, waiting: { await engine.waitingReasons($0) }), logs: reader,
            now: Clocks.wall)
        ingest.attach(store: logs, engine: engine, gateway: gateway)
        let reported = ReportedLink(
            repository: database, engine: engine, store: logs, ingest: ingest, fingerprint: authority.fingerprint,
            logger: Logger(label: "ansflow.reported"))
        router.attach(
            gateway: gateway, hub: hub, ingest: ingest, engine: engine, secrets: vault, reported: reported)

        let repositories = try repositories()
        let preparation = preparation(database, repositories, vault)
        let scheduler = scheduler(database, engine, preparation)
        var services = services(database, engine, sessions, authority, reader, hub, vault, artifacts, disk)
        services.people = Accounts(database, hasher: hasher, clock: Clocks.wall)
        services.projects = database
        services.variables = database
        services.reported = reported
        services.browsers = sessions
        services.preparation = preparation
        services.schedules = scheduler
        let webhooks = webhooks(database, engine, vault, preparation, repositories, reported, disk, crash)
        services.webhooks = webhooks.intake
        services.hooks = webhooks.manager
        let retention = Retention(
            policy: settings.retention, repository: database, logs: logs, artifacts: artifacts, now: Clocks.wall,
            cancel: { try await OperatorParts.cancel($0, engine) },
            logger: Logger(label: "ansflow.retention"))
        let operators = OperatorParts(
            settings, database: database, logs: logs, artifacts: artifacts, retention: retention, vault: vault,
            users: UserAdministration(database, hasher: hasher, clock: Clocks.wall))
        operators.attach(to: &services)
        let control = try await operators.controlSocket()
        let roller = AnalyticsRoller(store: database)
        observe(&services, database, disk, ingest, sessions, roller)
        let outgoing = try outgoing(database, vault, hub, disk, crash)
        services.forges = database
        services.notices = database
        services.noticeTests = outgoing.worker
        measureDeliveries(&services, database, webhooks, outgoing)
        let server = try Server(
            configuration: try http(gatewayPort: gateway.port, fingerprint: authority.fingerprint),
            services: services,
            logger: Logger(label: "ansflow.http"))
        roller.attach(requests: { server.takeRequestFigures() })
        let background = Task { await afterStart(database, ingest, vault) }
        let announce = Task {
            let port = await server.port
            say(
                "listening: \(settings.tlsCertificate == nil ? "http" : "https")://\(ListenAddress.bracketed(settings.listen.host)):\(port)"
            )
            say("agents: https://\(ListenAddress.bracketed(settings.agentListen.host)):\(gateway.port)")
            if let password { say("administrator: \(Bootstrap.administrator)  password: \(password)") }
            say("ready")
        }
        defer {
            background.cancel()
            announce.cancel()
        }
        var group = ServiceGroupConfiguration(
            services: [
                EngineTicker(engine: engine), ScheduleTicker(scheduler: scheduler),
                ArtifactSweeper(store: artifacts, retention: retention), RetentionSweeper(retention: retention),
                BackupTimer(backups: operators.backups), ControlService(socket: control),
                SystemTicker(feed: SystemFeed(commands: engine, hub: hub)),
                AuditHeadService(audit: database), reported, webhooks, roller, outgoing, gateway, server,
            ],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        group.maximumGracefulShutdownDuration = .seconds(10)
        // Of all that runs, only the users' listener still has to bind.
        try await ListenFailure.named("--listen", settings.listen) {
            try await ServiceGroup(configuration: group).run()
        }
        await logs.close()
        try? database.close()
    }

    private func http(gatewayPort: Int, fingerprint: String) throws -> HTTPConfiguration {
        var configuration = HTTPConfiguration(now: Clocks.wall)
        configuration.host = settings.listen.host
        configuration.port = settings.listen.port
        configuration.connectionsMax = min(configuration.connectionsMax, OpenFiles.forPeople(of: OpenFiles.raise()))
        // One address that says nothing is never to fill the door.
        configuration.waitingHeadsPerAddressMax = min(
            configuration.waitingHeadsPerAddressMax, configuration.connectionsMax / 4)
        configuration.publicURL = settings.publicURL
        configuration.proxies = settings.trustedProxies
        if let certificate = settings.tlsCertificate, let key = settings.tlsKey {
            configuration.certificate = try ListenerCertificate(certificate: certificate, key: key)
        }
        configuration.allowLocalRepositories = settings.allowLocalRepositories
        configuration.gatewayURL = "https://\(ListenAddress.bracketed(settings.agentListen.host)):\(gatewayPort)"
        configuration.authorityFingerprint = fingerprint
        configuration.cacheBytesMax = settings.observe.cacheMib * 1024 * 1024
        configuration.rateLimits = settings.observe.rateLimits
        configuration.corsOrigins = settings.observe.corsOrigins
        configuration.docsDirectory = DocsDirectory.find(settings.docsDirectory)
        configuration.webRoot = settings.webRoot
        if !settings.accessLog { configuration.accessLog = nil }
        return configuration
    }

    private func services(
        _ database: Database, _ engine: Engine, _ sessions: SessionService, _ authority: CertificateAuthority,
        _ reader: LogReader, _ hub: EventHub, _ vault: SecretVault,
        _ artifacts: ArtifactStore, _ disk: Disk
    ) -> HTTPServices {
        var services = HTTPServices(
            commands: engine, queries: database, pipelines: database, logs: reader,
            compiler: PipelineReader(), authentication: sessions, access: AccessBook(database), logins: sessions,
            tickets: sessions, keys: sessions,
            enrolmentTokens: EnrolmentTokens(database, fingerprint: authority.fingerprint, clock: Clocks.wall),
            hub: hub,
            runsVersion: { database.runsVersion }, diskFloor: { disk.shortage })
        services.secrets = vault
        services.artifacts = artifacts
        services.tests = database
        services.logSearch = reader
        services.approvals = database
        services.deployments = database
        services.idempotency = database
        services.definitionSchema = PipelineSchema.jsonSchema()
        return services
    }

    /// What need not be done before the first answer: the database's check, and logs whose packing a crash cut off.
    private func afterStart(_ database: Database, _ ingest: LogIngest, _ vault: SecretVault) async {
        await ingest.packEnded()
        do {
            if try await vault.finishRotation() { logger.notice("a rotation of the secrets' key was finished") }
        } catch {
            logger.error("a rotation of the secrets' key is not finished", metadata: ["error": "\(error)"])
        }
        guard let faults = try? await database.quickCheck(), !faults.isEmpty else { return }
        logger.critical("the database is damaged; restore a backup", metadata: ["faults": "\(faults.prefix(5))"])
    }

    private func say(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = bytes.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
    }
}
