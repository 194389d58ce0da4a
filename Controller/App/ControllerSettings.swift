import ControllerCore
import ControllerHTTP
import ControllerMaintenance

/// What a controller is started with.
struct ControllerSettings: Sendable {
    var dataDirectory: String
    var listen: ListenAddress
    var agentListen: ListenAddress
    var agentNames: [String]
    var publicURL: String
    var allowLocalRepositories: Bool
    var trustedProxies: TrustedProxies
    var diskFloorBytes: UInt64
    /// Addresses, ranges and hosts that requests to others may go to though they are not public.
    var outgoingAllow: [String] = []
    /// PEM files of authorities that are trusted for such requests, beside the system's.
    var outgoingCAs: [String] = []
    var accessLog: Bool
    /// Between two looks for pushes that no webhook told of; nil for one at the start alone.
    var missedPushesEvery: Duration?
    var adminPassword: String?
    var observe: ObserveOptions
    /// Where Swagger UI's files are; empty for the usual places: see ``DocsDirectory``.
    var docsDirectory = ""
    /// Files of the users' listener's certificate and key; both or none.
    var tlsCertificate: String?
    var tlsKey: String?
    var retention = RetentionPolicy()
    var backups = Backups.Settings()
    /// Of artifacts whose pipeline does not say, in milliseconds.
    var artifactKeepMs: UInt64?
    /// Where the web page's sources are, while they are written; empty for what is built in.
    var webRoot = ""
    /// For fault tests: see ``CrashPoint``.
    var crashPoint: String?
}

extension ControllerSettings {
    /// What links begin with; nil where nobody said how people reach the controller.
    var linkBase: String? {
        var url = publicURL[...]
        while url.hasSuffix("/") { url.removeLast() }
        return url.isEmpty ? nil : String(url)
    }
}
