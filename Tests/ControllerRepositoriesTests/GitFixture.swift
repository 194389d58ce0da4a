import ControllerCore
import ControllerRepositories
import Foundation
import TestSupport

/// A real repository in a folder of its own, and a cache beside it.
final class GitFixture: Sendable {
    let folder: String
    let path: String

    /// - Parameter isEmpty: no commit at all; otherwise one on `main` with `.ansflow.yml`.
    init(isEmpty: Bool = false) throws {
        folder = "/tmp/ansflow-repositories-\(UUID().uuidString)"
        path = folder + "/origin"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try git("init", "--quiet", "-b", "main")
        if !isEmpty { try commit([".ansflow.yml": "steps: [{ run: make }]\n"], "first") }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    var url: String { "file://\(path)" }
    var source: RepositorySource { RepositorySource(url: url, allowLocal: true) }

    @discardableResult
    func git(_ arguments: String...) throws -> String {
        let environment = [
            "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "a",
            "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org",
        ]
        let result = try ChildProcess.run("/usr/bin/git", ["-C", path] + arguments, environment: environment)
        guard result.code == 0 else { throw TestFailure("git \(arguments) failed: \(result.errors)") }
        return result.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Writes files and commits them.
    @discardableResult
    func commit(_ files: [String: String], _ message: String = "change") throws -> String {
        for (name, text) in files { try write(name, Data(text.utf8)) }
        try git("add", "-A")
        try git("commit", "--quiet", "--allow-empty", "-m", message)
        return try head()
    }

    func write(_ name: String, _ data: Data) throws {
        let file = URL(filePath: "\(path)/\(name)")
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try data.write(to: file)
    }

    func head(_ name: String = "HEAD") throws -> String { try git("rev-parse", "\(name)^{commit}") }

    func cache(
        _ change: (inout RepositoryCacheConfiguration) -> Void = { _ in }
    ) throws -> RepositoryCache {
        var configuration = RepositoryCacheConfiguration(
            directory: folder + "/cache", environment: ["PATH": "/usr/bin:/bin"])
        change(&configuration)
        return try RepositoryCache(configuration)
    }

    var mirrors: [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder + "/cache/mirrors")) ?? []
    }
}

/// What a call failed with; a failure of the test where it did not.
func failure<Value>(_ body: () async throws(RepositoryFailure) -> Value) async throws -> RepositoryFailure {
    do {
        let value = try await body()
        throw TestFailure("A failure was expected, and \(value) came.")
    } catch let failure as RepositoryFailure {
        return failure
    }
}

func text(
    _ path: String, _ commit: ResolvedCommit, _ source: RepositorySource, _ cache: RepositoryCache
) async throws(RepositoryFailure) -> String {
    try await cache.read(path, at: commit, in: source, limitBytes: 1 << 20)
}

/// Waits without blocking a thread: what is waited for needs one of the few.
func sooner(than seconds: Double, _ what: String, _ holds: () throws -> Bool) async throws {
    let end = Clock.seconds + seconds
    while !(try holds()) {
        guard Clock.seconds < end else { throw TestFailure("Not within \(seconds) s: \(what).") }
        try await Task.sleep(for: .milliseconds(5))
    }
}
