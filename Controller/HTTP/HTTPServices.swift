package import ControllerCore
package import ControllerRealtime

/// Everything that routes work with.
package struct HTTPServices: Sendable {
    package var commands: any EngineCommands
    package var queries: any RunQueries
    package var pipelines: any PipelineRepository
    package var logs: any LogReading
    /// Nil where logs can't be searched.
    package var logSearch: (any LogSearching)?
    package var compiler: any PipelineReading
    package var authentication: any Authenticating
    package var access: any AccessReading
    package var logins: any LoginService
    package var tickets: any TicketService
    package var keys: any APIKeyService
    package var enrolmentTokens: any EnrolmentTokenService
    /// Nil where accounts can't be changed.
    package var people: (any UserManaging)?
    package var projects: (any ProjectRepository)?
    /// Nil where projects have no variables.
    package var variables: (any ProjectVariableRepository)?
    /// Nil where other systems report no runs here.
    package var reported: (any ReportedRuns)?
    /// Nil where browsers can't log in.
    package var browsers: (any BrowserLogins)?
    /// Nil where no secrets are kept.
    package var secrets: (any SecretManaging)?
    /// Nil where no artifacts are kept.
    package var artifacts: (any ArtifactReading)?
    /// Nil where no test results are kept.
    package var tests: (any TestReading)?
    /// Nil where they can't be listed; the store can.
    package var approvals: (any ApprovalQueries)?
    package var deployments: (any DeploymentQueries)?
    /// Reads definitions from repositories; nil where only stored ones without `include` can be run.
    package var preparation: (any RunPreparing)?
    /// Nil where nothing runs by time.
    package var schedules: (any ScheduleManaging)?
    /// Nil where no webhooks are taken.
    package var webhooks: (any WebhookReceiving)?
    package var hooks: (any WebhookManaging)?
    /// Nil where answers are not kept for `Idempotency-Key`; runs keep their own.
    package var idempotency: (any IdempotencyRepository)?
    /// Nil where no statuses go to forges.
    package var forges: (any ForgeConnectionRepository)?
    /// Nil where there are no notices.
    package var notices: (any NoticeRepository)?
    package var noticeTests: (any NoticeTesting)?
    /// The JSON Schema of pipeline files, UTF-8.
    package var definitionSchema: [UInt8]?
    /// Nil where nothing is told of who did what.
    package var audit: (any AuditLog)?
    /// Nil where no statistics are kept.
    package var analytics: (any AnalyticsReading)?
    /// Brings what has just ended into the statistics.
    package var rollUp: @Sendable () async throws -> Void = {}
    /// Caches of other parts, for those who look after the controller.
    package var caches: [any ReportedCache] = []
    /// Grows with every commit that changes a pipeline; nil where nobody counts, and then lists of them are not kept.
    package var pipelinesVersion: (@Sendable () -> UInt64)?
    /// Grows with every commit that changes an agent.
    package var agentsVersion: (@Sendable () -> UInt64)?
    /// Nil where nothing is ever deleted.
    package var retention: (any RetentionService)?
    package var backups: (any BackupService)?
    package var hub: EventHub
    /// Grows with every commit that changes what the list of runs shows.
    package var runsVersion: @Sendable () -> UInt64
    /// Why new work can't be taken for want of disk; nil while there is room.
    package var diskFloor: @Sendable () -> String?
    /// Lines in Prometheus' text form that other parts want shown.
    package var extraMetrics: @Sendable () async -> String

    package init(
        commands: any EngineCommands, queries: any RunQueries, pipelines: any PipelineRepository,
        logs: any LogReading, compiler: any PipelineReading,
        authentication: any Authenticating, access: any AccessReading, logins: any LoginService,
        tickets: any TicketService,
        keys: any APIKeyService, enrolmentTokens: any EnrolmentTokenService, hub: EventHub,
        runsVersion: @escaping @Sendable () -> UInt64, diskFloor: @escaping @Sendable () -> String? = { nil },
        extraMetrics: @escaping @Sendable () async -> String = { "" }
    ) {
        self.commands = commands
        self.queries = queries
        self.pipelines = pipelines
        self.logs = logs
        self.compiler = compiler
        self.authentication = authentication
        self.access = access
        self.logins = logins
        self.tickets = tickets
        self.keys = keys
        self.enrolmentTokens = enrolmentTokens
        self.hub = hub
        self.runsVersion = runsVersion
        self.diskFloor = diskFloor
        self.extraMetrics = extraMetrics
    }
}
