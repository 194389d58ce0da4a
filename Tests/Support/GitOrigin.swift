import Foundation

/// A real repository in a folder of its own, for tests of what reads repositories.
package final class GitOrigin: Sendable {
    package let folder: String
    package let path: String

    /// Empty, with the branch `main` to come.
    package init() throws {
        folder = "/tmp/ansflow-origin-\(UUID().uuidString)"
        path = folder + "/widgets"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try git("init", "--quiet", "-b", "main")
        // As forges do: any commit that a ref reaches may be fetched by its id.
        try git("config", "uploadpack.allowReachableSHA1InWant", "true")
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    package var url: String { "file://\(path)" }

    @discardableResult
    package func git(_ arguments: String...) throws -> String {
        let environment = [
            "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "a",
            "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org",
        ]
        let result = try ChildProcess.run("/usr/bin/git", ["-C", path] + arguments, environment: environment)
        guard result.code == 0 else { throw TestFailure("git \(arguments) failed: \(result.errors)") }
        return result.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Writes files, commits them, and gives the commit's id.
    @discardableResult
    package func commit(_ files: [String: String], _ message: String = "change") throws -> String {
        for (name, text) in files {
            let file = URL(filePath: "\(path)/\(name)")
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        try git("add", "-A")
        try git("commit", "--quiet", "--allow-empty", "-m", message)
        return try git("rev-parse", "HEAD")
    }

    /// Copies a folder's files in and commits them.
    @discardableResult
    package func commit(folder: String) throws -> String {
        let copied = try ChildProcess.run("/bin/cp", ["-a", folder + "/.", path])
        guard copied.code == 0 else { throw TestFailure("\(folder) can't be copied: \(copied.errors)") }
        return try commit([:])
    }
}

/// Files under Tests/Fixtures.
package enum FixtureFile {
    package static let directory =
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path + "/Fixtures"

    package static func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(filePath: "\(directory)/\(name)")))
    }

    package static func names(below folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(directory)/\(folder)").sorted()
    }
}
