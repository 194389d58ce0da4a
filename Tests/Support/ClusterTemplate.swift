import Foundation

/// A controller's data directory after its first start, with an administrator and a key: made once, copied by every test, because
/// hashing passwords takes long in a debug build.
package actor ClusterTemplate {
    package static let shared = ClusterTemplate()
    package static let password = "correct horse battery staple"

    package struct Made: Sendable {
        package var directory: String
        /// An API key with all scopes.
        package var key: String
    }

    private var made: Task<Made, any Error>?

    package func get() async throws -> Made {
        if let made { return try await made.value }
        let task = Task { try await BlockingTask.run { try Self.make() } }
        made = task
        return try await task.value
    }

    private static func make() throws -> Made {
        let root = try Cluster.temporaryDirectory()
        let directory = root + "/c"
        let controller = try ControllerProcess(dataDirectory: directory, log: root + "/controller.log")
        controller.environment = ["ANSFLOW_ADMIN_PASSWORD": password]
        do {
            try controller.start()
            let api = APIClient(port: controller.port)
            try api.login("admin", password)
            let answer = try api.call(
                "POST", "/api/v1/api-keys", ["name": "tests", "scopes": ["read", "run", "write", "admin"]])
            guard let key = answer["key"].text else { throw TestFailure("No key: \(answer)") }
            try controller.terminate()
            removeAtExit(root)
            return Made(directory: directory, key: key)
        } catch {
            controller.kill()
            throw TestFailure("\(error)\n\(TextFile.lines(controller.log).suffix(20).joined(separator: "\n"))")
        }
    }
}

/// Removes a directory when the test program ends.
private func removeAtExit(_ path: String) {
    leftovers.withLock { $0.append(path) }
    _ = registration
}

private let leftovers = Leftovers()
private let registration: Void = {
    atexit {
        for path in leftovers.withLock({ $0 }) { try? FileManager.default.removeItem(atPath: path) }
    }
}()

private final class Leftovers: @unchecked Sendable {
    private let lock = NSLock()
    private var paths: [String] = []

    func withLock<Value>(_ body: (inout [String]) -> Value) -> Value { lock.withLock { body(&paths) } }
}
