/// What a controller is started with.
struct ControllerSettings: Sendable {
    var dataDirectory: String
    var listen: ListenAddress
    var agentListen: ListenAddress
    var agentNames: [String]
    var publicURL: String
    var allowLocalRepositories: Bool
    var behindTLSProxy: Bool
    var diskFloorBytes: UInt64
    var accessLog: Bool
    var adminPassword: String?
    /// For fault tests: see ``CrashPoint``.
    var crashPoint: String?
}
