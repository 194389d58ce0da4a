import Foundation
import TestSupport

/// A directory with a git repository, in which `ansflow exec` is called as its user would.
struct ExecSandbox {
    let root: String
    /// The working tree.
    var project: String { root + "/p" }
    /// Where what steps note lies outside of all workspaces.
    var notes: String { root + "/n" }

    /// Runs `body` with a fresh one and ends whatever is left of it.
    ///
    /// - Parameter files: of the repository's only commit, by path.
    static func with(
        _ files: [String: String] = [:], _ body: @escaping @Sendable (ExecSandbox) throws -> Void
    ) async throws {
        try await use { sandbox in
            for (path, text) in files { try sandbox.write(path, text) }
            try sandbox.commit("one")
        } body: {
            try body($0)
        }
    }

    /// The same with one of the projects in `Tests/Fixtures/pipelines`.
    static func with(
        fixture: String, _ body: @escaping @Sendable (ExecSandbox) throws -> Void
    ) async throws {
        try await use { sandbox in
            try sandbox.shell("cp -a '\(Fixtures.path(fixture))/.' .")
            try sandbox.commit("one")
        } body: {
            try body($0)
        }
    }

    private static func use(
        _ prepare: @escaping @Sendable (ExecSandbox) throws -> Void,
        body: @escaping @Sendable (ExecSandbox) throws -> Void
    ) async throws {
        await Gate.clusters.enter()
        do {
            try await BlockingTask.run {
                let sandbox = ExecSandbox(root: try Cluster.temporaryDirectory())
                defer { sandbox.end() }
                for path in [sandbox.project, sandbox.notes] {
                    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
                }
                try sandbox.shell("git init -q -b main .")
                try prepare(sandbox)
                try body(sandbox)
            }
        } catch {
            await Gate.clusters.leave()
            throw error
        }
        await Gate.clusters.leave()
    }

    private func end() {
        _ = try? eventually(within: 10, "steps are gone") { () -> Bool in
            let left = ProcessTable.living(under: root)
            for pid in left { kill(pid, SIGKILL) }
            return left.isEmpty
        }
        if !Binaries.keepsFiles { try? FileManager.default.removeItem(atPath: root) }
    }

    // MARK: The project

    func write(_ path: String, _ text: String) throws {
        let whole = "\(project)/\(path)"
        let folder = whole.split(separator: "/").dropLast().map { "/" + $0 }.joined()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try TextFile.write(whole, text)
    }

    func commit(_ message: String) throws {
        try shell("git add -A && git commit -q --allow-empty -m '\(message)'")
    }

    /// Runs a command in the working tree; it must end well.
    @discardableResult
    func shell(_ command: String) throws -> String {
        let result = try ChildProcess.run(
            "/bin/sh", ["-ec", "cd '\(project)'; \(command)"],
            environment: [
                "GIT_AUTHOR_NAME": "tests", "GIT_AUTHOR_EMAIL": "tests@example.org", "GIT_COMMITTER_NAME": "tests",
                "GIT_COMMITTER_EMAIL": "tests@example.org", "GIT_CONFIG_NOSYSTEM": "1",
            ])
        guard result.code == 0 else { throw TestFailure("\(command): \(result)") }
        return result.output
    }

    // MARK: exec

    private func environment(_ more: [String: String]) -> [String: String] {
        ["XDG_CACHE_HOME": "\(root)/cache", "NOTES": notes].merging(more) { $1 }
    }

    private func prepared(_ arguments: [String]) throws -> [String] {
        try FileManager.default.createDirectory(atPath: "\(root)/cache", withIntermediateDirectories: true)
        return ["exec", "--directory", project] + arguments
    }

    func exec(
        _ arguments: String..., environment more: [String: String] = [:], within seconds: Double = 60
    ) throws -> CommandLineClient.Result {
        let result = try ChildProcess.run(
            Binaries.client, try prepared(arguments), environment: environment(more), within: seconds)
        return CommandLineClient.Result(code: result.code, output: result.output, errors: result.errors)
    }

    /// As above, and gives what `--json` prints.
    func json(
        _ arguments: String..., environment more: [String: String] = [:], within seconds: Double = 60
    ) throws -> JSON {
        let result = try ChildProcess.run(
            Binaries.client, try prepared(arguments + ["--json"]), environment: environment(more), within: seconds)
        guard result.code < 2 else { throw TestFailure("exec: \(result)") }
        return try JSON(parsing: Array(result.output.utf8))
    }

    /// Starts it and returns; its output goes to `output` in the sandbox.
    func start(_ arguments: String...) throws -> ChildProcess {
        try ChildProcess(
            Binaries.client, try prepared(arguments), environment: environment([:]), output: "\(root)/output")
    }

    var output: String { TextFile.read("\(root)/output") }

    func lines(_ name: String) -> [String] { TextFile.lines("\(notes)/\(name)") }

    /// Directories of runs that are not removed.
    var leftovers: [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: "\(root)/cache/ansflow/exec")) ?? []
    }

    static func step(_ run: JSON, _ key: String) -> JSON {
        for job in run["jobs"].items {
            for step in job["steps"].items where step["key"].text == key { return step }
        }
        return .null
    }
}

/// Projects that the tests run.
enum Fixtures {
    static func path(_ name: String) -> String {
        let own = #filePath.split(separator: "/").dropLast(2).map { "/" + $0 }.joined()
        return "\(own)/Fixtures/pipelines/\(name)"
    }
}
