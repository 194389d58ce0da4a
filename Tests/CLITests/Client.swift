import Foundation
import TestSupport

/// Runs the built `ansflow` as users do.
struct Client {
    var environment: [String: String] = [:]
    /// An empty directory for the credentials, its own for each client.
    let home: String

    init(environment: [String: String] = [:]) throws {
        home = NSTemporaryDirectory() + "ansflow-cli-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        self.environment = environment
    }

    struct Result: Sendable {
        var code: Int32
        var output: String
        var errors: String
    }

    var credentials: String { home + "/ansflow/credentials.json" }

    func removeHome() { try? FileManager.default.removeItem(atPath: home) }

    /// Runs it to its end, at most `limit` seconds.
    func run(_ arguments: [String], input: String = "", limit: Double = 60, program: String? = nil) async throws
        -> Result
    {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program ?? BuiltProducts.path("ansflow"))
        process.arguments = arguments
        var variables = ["PATH": "/usr/bin:/bin", "HOME": home, "XDG_CONFIG_HOME": home]
        for (name, value) in environment { variables[name] = value }
        process.environment = variables
        let files = (0..<3).map { home + "/\($0)-\(UUID().uuidString)" }
        _ = FileManager.default.createFile(atPath: files[0], contents: Data(input.utf8))
        for file in files.dropFirst() { _ = FileManager.default.createFile(atPath: file, contents: nil) }
        process.standardInput = FileHandle(forReadingAtPath: files[0])
        process.standardOutput = FileHandle(forWritingAtPath: files[1])
        process.standardError = FileHandle(forWritingAtPath: files[2])
        try process.run()
        let deadline = ContinuousClock.now + .seconds(limit)
        while process.isRunning, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(10)) }
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        func text(_ file: String) -> String {
            String(decoding: FileManager.default.contents(atPath: file) ?? Data(), as: UTF8.self)
        }
        return Result(code: process.terminationStatus, output: text(files[1]), errors: text(files[2]))
    }
}
