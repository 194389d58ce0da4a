import TestSupport

/// `ansflow` as a user of a cluster calls it.
struct CommandLineClient {
    struct Result {
        var code: Int32
        var output: String
        var errors: String
    }

    var cluster: Cluster
    var environment: [String: String]

    init(_ cluster: Cluster) {
        self.cluster = cluster
        environment = [
            "ANSFLOW_URL": "http://127.0.0.1:\(cluster.controller.port)", "ANSFLOW_TOKEN": cluster.api.token ?? "",
            "XDG_CONFIG_HOME": cluster.root + "/config",
        ]
    }

    func callAsFunction(_ arguments: String..., within seconds: Double = 60) throws -> Result {
        try self(arguments, within: seconds)
    }

    func callAsFunction(_ arguments: [String], within seconds: Double = 60) throws -> Result {
        let result = try ChildProcess.run(Binaries.client, arguments, environment: environment, within: seconds)
        return Result(code: result.code, output: result.output, errors: result.errors)
    }

    /// Writes a definition and gives its path.
    func file(_ name: String, _ text: String) throws -> String {
        let path = "\(cluster.work)/\(name)"
        try TextFile.write(path, text)
        return path
    }
}
