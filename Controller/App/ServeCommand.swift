import AnsFlowTransport
import ArgumentParser
import ControllerCore
import ControllerHTTP
import ControllerLogs
import Glibc
import Logging

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run the controller until SIGTERM or SIGINT.",
        discussion: """
            Everything is kept under the data directory, which one controller at a time may hold. The first start makes \
            keys, the certificate authority of the agents, and the user `admin` with a random password that is printed \
            once; ANSFLOW_ADMIN_PASSWORD gives it a known one.

            EXAMPLES
              ansflow-controller serve --data-dir /var/lib/ansflow
              ANSFLOW_ADMIN_PASSWORD=secret ansflow-controller serve --data-dir D --listen 127.0.0.1:0
            """)

    @Option(help: "Where everything is kept; made at the first start.")
    var dataDir: String

    @Option(help: "Read settings from this file; see `ansflow-controller config --help`.")
    var config: String?

    @Option(
        help: "Address for people and the API: HOST:PORT. Plain HTTP, so loopback only, without one of the next three.")
    var listen = ListenAddress(argument: "127.0.0.1:8080")!

    @Option(help: "Certificate of the address for people, PEM, with its chain; read anew when it changes.")
    var tlsCert: String?

    @Option(help: "Private key of --tls-cert, PEM, without a passphrase.")
    var tlsKey: String?

    @Option(
        name: .customLong("trusted-proxy"),
        help:
            "An address or range, e.g. 10.0.0.0/8, of proxies that do TLS and say in X-Forwarded-For who asks; repeatable."
    )
    var trustedProxies: [String] = []

    @Option(help: "Address for agents, TLS: HOST:PORT.")
    var agentListen = ListenAddress(argument: "127.0.0.1:8443")!

    @Option(
        name: .customLong("agent-name"), help: "A further name or address by which agents reach this host; repeatable.")
    var agentNames: [String] = []

    @Option(help: "How people reach this controller, for links and the check of Origin, e.g. https://ci.example.org.")
    var publicUrl = ""

    @Flag(help: "Allow pipelines to name repositories on this machine: paths, file: and loopback addresses.")
    var allowLocalRepositories = false

    @Option(help: "Where Swagger UI's files are, as packaging/swagger-ui fetches them (default: beside the program).")
    var docsDir = ""

    @Option(help: "Serve the web page's sources from this directory (Controller/Web) instead of what is built in.")
    var webRoot = ""

    @Option(help: "No new run is taken while less than this is free on the data directory's disk, in MiB.")
    var diskFloorMib = 16

    @Option(
        help: "How often repositories are asked for pushes that no webhook told of, in minutes; 0: at the start alone.")
    var missedPushesEvery = 15

    @Option(
        name: .customLong("outgoing-allow"),
        help: """
            An address, a range such as 10.1.0.0/16, or a host that statuses and notices may be sent to though it is not \
            public, also without TLS; repeatable. All else that is not public is refused.
            """)
    var outgoingAllow: [String] = []

    @Option(
        name: .customLong("outgoing-ca"),
        help: "PEM file of a certificate authority to trust for statuses and notices; repeatable.")
    var outgoingCAs: [String] = []

    @Option(help: "Least severe messages to log: trace, debug, info, notice, warning, error or critical.")
    var logLevel = "info"

    @Flag(help: "Do not log each request.")
    var noAccessLog = false

    @OptionGroup var observe: ObserveOptions
    @OptionGroup(title: "What is kept") var keeping: KeepingOptions

    func validate() throws {
        guard Logger.Level(rawValue: logLevel) != nil else {
            throw ValidationError(
                "--log-level is \(logLevel); it must be trace, debug, info, notice, warning, error or critical.")
        }
        guard (tlsCert == nil) == (tlsKey == nil) else {
            throw ValidationError("--tls-cert and --tls-key belong together: give both or none.")
        }
        for text in trustedProxies where AddressRange(text) == nil {
            throw ValidationError("--trusted-proxy is \(text); it must be an address or a range such as 10.0.0.0/8.")
        }
        guard missedPushesEvery >= 0 else { throw ValidationError("--missed-pushes-every is negative.") }
        try Outgoing.check(allow: outgoingAllow)
        guard diskFloorMib >= 0 else { throw ValidationError("--disk-floor-mib is negative.") }
    }

    func run() async throws {
        Allocator.keepLittle()
        signal(SIGPIPE, SIG_IGN)
        let level = Logger.Level(rawValue: logLevel) ?? .info
        LoggingSystem.bootstrap(
            { label, provider in
                JSONLogHandler(label: label, logLevel: level, metadataProvider: provider)
            }, metadataProvider: RequestMetadata.provider)
        var settings = ControllerSettings(
            dataDirectory: dataDir, listen: listen, agentListen: agentListen, agentNames: agentNames,
            publicURL: publicUrl, allowLocalRepositories: allowLocalRepositories,
            trustedProxies: TrustedProxies(trustedProxies.compactMap { AddressRange($0) }),
            diskFloorBytes: UInt64(diskFloorMib) * 1024 * 1024, accessLog: !noAccessLog,
            missedPushesEvery: missedPushesEvery == 0 ? nil : .seconds(60 * missedPushesEvery),
            adminPassword: getenv("ANSFLOW_ADMIN_PASSWORD").map { String(cString: $0) },
            observe: observe,
            crashPoint: getenv("ANSFLOW_CRASH_AT").map { String(cString: $0) })
        settings.docsDirectory = docsDir
        settings.outgoingAllow = outgoingAllow
        settings.outgoingCAs = outgoingCAs
        (settings.tlsCertificate, settings.tlsKey) = (tlsCert, tlsKey)
        settings.webRoot = webRoot
        // No step or helper process is to inherit it.
        unsetenv("ANSFLOW_ADMIN_PASSWORD")
        do {
            settings.retention = keeping.retention
            settings.artifactKeepMs = UInt64(keeping.keepArtifactsDays) * UInt64(RetentionPolicy.dayMs)
            settings.backups = try keeping.backups()
            try await ControllerAssembly(settings).run()
        } catch let error as any CustomStringConvertible & Error {
            StandardError.say("ansflow-controller: \(error)")
            throw ExitCode.failure
        }
    }
}
