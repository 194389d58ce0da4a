import ControllerRealtime
import Synchronization

/// The whole interface, in one list.
enum Routes {
    static func all(_ services: HTTPServices, _ configuration: HTTPConfiguration, _ shared: SharedParts) -> [Route] {
        let parts: [[Route]] = [
            SystemRoutes(services: services, configuration: configuration, shared: shared).routes,
            AuthRoutes(services: services, configuration: configuration).routes,
            KeyRoutes(services: services, configuration: configuration).routes,
            SessionRoutes(services: services, configuration: configuration).routes,
            UserRoutes(services: services).routes,
            ProjectRoutes(services: services, configuration: configuration).routes,
            MemberRoutes(services: services, configuration: configuration).routes,
            VariableRoutes(services: services, configuration: configuration).routes,
            PipelineRoutes(services: services, configuration: configuration, caches: shared.caches).routes,
            ScheduleRoutes(services: services).routes,
            RunRoutes(services: services, configuration: configuration, caches: shared.caches).routes,
            LogRoutes(services: services).routes,
            LogSearchRoutes(services: services).routes,
            RunLogRoutes(services: services).routes,
            AgentRoutes(services: services, configuration: configuration).routes,
            SecretRoutes(services: services).routes,
            ArtifactRoutes(services: services).routes,
            TestRoutes(services: services).routes,
            WebhookRoutes(services: services, configuration: configuration).routes,
            HookRoutes(services: services, configuration: configuration).routes,
            WebhookEventRoutes(services: services).routes,
            ForgeRoutes(services: services, configuration: configuration).routes,
            NotificationRoutes(services: services, configuration: configuration).routes,
            NotificationTargetRoutes(services: services, configuration: configuration).routes,
            SystemNoticeRoutes(services: services, configuration: configuration).routes,
            BadgeRoutes(services: services).routes,
            RetentionRoutes(services: services).routes,
            BackupRoutes(services: services).routes,
            LiveRoutes.routes,
            DescriptionRoutes(shared: shared, configuration: configuration).routes,
            AuditRoutes(services: services).routes,
            CacheRoutes(services: services, shared: shared).routes,
            AnalyticsRoutes(services: services, configuration: configuration).routes,
        ]
        return parts.flatMap { $0 } + web(services, configuration, shared)
    }

    static func shell(_ configuration: HTTPConfiguration) -> Shell {
        Shell(assets: .builtIn, folder: configuration.webRoot, configuration: configuration)
    }

    /// What browsers ask for.
    private static func web(
        _ services: HTTPServices, _ configuration: HTTPConfiguration, _ shared: SharedParts
    ) -> [Route] {
        let shell = shell(configuration)
        return StaticRoutes(assets: shell.assets, folder: configuration.webRoot).routes
            + LoginRoutes(services: services, configuration: configuration, shell: shell).routes
            + PageRoutes(services: services, configuration: configuration, shell: shell, inner: shared.inner).routes
            + ReaderRoutes(services: services, shell: shell).routes
    }
}

/// What routes and the server share.
final class SharedParts: Sendable {
    let caches: AnswerCaches
    let metrics: RouteMetrics
    let inner = InnerCalls()
    private let description = Mutex(Reply.noContent)
    private let reading = Mutex(Reply.noContent)

    /// The interface's description as a page.
    var readingPage: Reply {
        get { reading.withLock { $0 } }
        set { Self.keep(newValue, in: reading) }
    }

    private static func keep(_ reply: Reply, in place: borrowing Mutex<Reply>) {
        var reply = reply
        reply.etag = reply.buffer.map(EntityTag.of)
        place.withLock { [reply] in $0 = reply }
    }

    /// The interface's description; its tag is made once.
    var openAPI: Reply {
        get { description.withLock { $0 } }
        set { Self.keep(newValue, in: description) }
    }
    let limits: RateLimits

    init(operations: [String], _ configuration: HTTPConfiguration) {
        caches = AnswerCaches(bytesMax: configuration.cacheBytesMax)
        limits = RateLimits(configuration.rateLimits)
        metrics = RouteMetrics(operations)
    }
}
