package import ControllerCore
import ControllerRealtime
import HummingbirdCore
package import Logging
package import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// The users' listener: HTTP and viewers' WebSockets.
package final class Server: Service {
    package struct Refusal: Error, CustomStringConvertible {
        package let description: String
    }

    private let configuration: HTTPConfiguration
    private let dispatcher: Dispatcher
    private let group: any EventLoopGroup
    private let logger: Logger
    private let bound = Mutex<(port: Int?, waiters: [CheckedContinuation<Int, Never>])>((nil, []))

    /// - Throws: ``Refusal`` where plain HTTP would be open to others.
    package init(
        configuration: HTTPConfiguration, services: HTTPServices,
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        logger: Logger = Logger(label: "ansflow.http")
    ) throws {
        let isLoopback = ["localhost", "::1"].contains(configuration.host) || configuration.host.hasPrefix("127.")
        guard isLoopback || configuration.certificate != nil || !configuration.proxies.isEmpty else {
            throw Refusal(
                description: """
                    Plain HTTP on \(configuration.host) would let others read passwords. Give a certificate with --tls-cert \
                    and --tls-key, or name the proxies that do TLS with --trusted-proxy, or listen on 127.0.0.1.
                    """)
        }
        self.configuration = configuration
        self.group = group
        self.logger = logger
        // The metrics need the table's names, and the table's metrics route the metrics: names come from a first, unused table.
        let names = Routes.all(services, configuration, SharedParts(operations: [], configuration)).map(\.operation)
        let shared = SharedParts(operations: names + ["none"], configuration)
        let table = RouteTable(Routes.all(services, configuration, shared))
        shared.inner.attach(table)
        shared.openAPI = .json(OpenAPI.document(table.routes, configuration))
        shared.readingPage = DescriptionRoutes.readingPage(table.routes, configuration)
        dispatcher = Dispatcher(
            table: table, services: services,
            configuration: configuration, metrics: shared.metrics, accessLog: AccessLog(configuration.accessLog),
            trail: AuditTrail(services.audit), limits: shared.limits,
            crossOrigin: CrossOrigin(configuration.corsOrigins),
            pages: ProblemPages(
                services: services, configuration: configuration, shell: Routes.shell(configuration)), logger: logger,
            writes: GuardedWrites(table.routes))
    }

    /// What was counted of requests since the last time, for the statistics.
    package func takeRequestFigures() -> [StatKey: StatFigures] { dispatcher.metrics.takeRecent() }

    /// Every operation, for the interface's description and for tests.
    package var routes: [Route] { dispatcher.table.routes }

    /// The port, as soon as it is bound.
    package var port: Int {
        get async {
            await withCheckedContinuation { continuation in
                let known = bound.withLock { bound -> Int? in
                    if bound.port == nil { bound.waiters.append(continuation) }
                    return bound.port
                }
                if let known { continuation.resume(returning: known) }
            }
        }
    }

    package func run() async throws {
        let server = HummingbirdCore.Server(
            childChannelSetup: ControllerChannel(dispatcher: dispatcher),
            configuration: ServerConfiguration(
                address: .hostname(configuration.host, port: configuration.port), backlog: 1024,
                availableConnectionsDelegate: MaximumAvailableConnections(configuration.connectionsMax)),
            onServerRunning: { channel in self.publish(channel.localAddress?.port ?? self.configuration.port) },
            eventLoopGroup: group, logger: logger)
        let log = dispatcher.accessLog
        defer { log.flush() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            if let certificate = configuration.certificate {
                group.addTask { [configuration, logger] in
                    await certificate.watch(every: configuration.certificateRecheck, logger: logger)
                }
            }
            group.addTask {
                while !Task.isCancelled {
                    log.flush()
                    try? await Task.sleep(for: .milliseconds(200))
                }
            }
            try await group.next()
            group.cancelAll()
        }
    }

    private func publish(_ port: Int) {
        let waiting = bound.withLock { bound in
            bound.port = port
            defer { bound.waiters = [] }
            return bound.waiters
        }
        for continuation in waiting { continuation.resume(returning: port) }
    }
}
