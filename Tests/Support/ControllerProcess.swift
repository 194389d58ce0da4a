import Foundation

/// A controller that a test runs, with its data directory and ports, over all its restarts.
package final class ControllerProcess: @unchecked Sendable {
    package let dataDirectory: String
    package let port: Int
    package let agentPort: Int
    package let log: String
    package private(set) var process: ChildProcess?
    /// Given to each start.
    package var environment: [String: String] = [:]
    /// More of them, for each start.
    package var arguments: [String] = []
    /// How many files it may have open; what the tests themselves may, where nothing is said.
    package var openFilesMax: Int?

    package init(dataDirectory: String, log: String) throws {
        self.dataDirectory = dataDirectory
        self.log = log
        port = try Sockets.freePort()
        agentPort = try Sockets.freePort()
    }

    /// Starts it and waits until it takes work.
    package func start() throws {
        try launch()
        try waitUntilReady()
    }

    /// Starts it and does not wait.
    package func launch() throws {
        let limits = openFilesMax.map { ["--nofile=\($0):\($0)", Binaries.controller] } ?? []
        process = try ChildProcess(
            limits.isEmpty ? Binaries.controller : "/usr/bin/prlimit",
            limits + [
                "serve", "--data-dir", dataDirectory, "--listen", "127.0.0.1:\(port)", "--agent-listen",
                "127.0.0.1:\(agentPort)", "--allow-local-repositories",
            ] + arguments, environment: environment, output: log)
    }

    package func waitUntilReady(within seconds: Double = 60) throws {
        let client = APIClient(port: port)
        try eventually(within: seconds, "the controller is ready") {
            if let code = process?.ended() { throw TestFailure("The controller ended with \(code) while it started.") }
            return (try? client.request("GET", "/health/ready").status) == 200
        }
    }

    /// kill -9.
    package func kill() {
        process?.destroy()
        process = nil
    }

    /// SIGTERM, and waits for its end. Gives the exit code.
    @discardableResult
    package func terminate(within seconds: Double = 30) throws -> Int32 {
        guard let process else { return 0 }
        process.signal(SIGTERM)
        defer { self.process = nil }
        return try process.wait(within: seconds, "the controller ends after SIGTERM")
    }

    package func restart() throws {
        kill()
        try start()
    }
}
