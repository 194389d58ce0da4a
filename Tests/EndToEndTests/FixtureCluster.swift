import Foundation
import TestSupport
import Testing

/// One of the projects of `Tests/Fixtures/pipelines` in a repository of its own, as a pipeline of a cluster.
struct FixtureCluster {
    let cluster: Cluster
    let ansflow: CommandLineClient
    let name: String

    /// A repository on branch `main` with the project as its only commit, and a pipeline that reads its definition there.
    init(_ name: String, _ cluster: Cluster) throws {
        self.cluster = cluster
        self.name = name
        ansflow = CommandLineClient(cluster)
        let repository = "\(cluster.work)/\(name)"
        try Self.git(
            "mkdir '\(repository)'; cp -a '\(Fixtures.path(name))/.' '\(repository)/'; cd '\(repository)'; git init -q -b main .; "
                + "git add -A; git commit -q -m one")
        let created = try ansflow(
            "pipeline", "create", "--name", name, "--repository", "file://\(repository)", "--ref", "main")
        guard created.code == 0 else { throw TestFailure("No pipeline: \(created)") }
    }

    private static func git(_ script: String) throws {
        let made = try ChildProcess.run(
            "/bin/sh", ["-ec", script],
            environment: [
                "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org",
                "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org",
            ])
        guard made.code == 0 else { throw TestFailure("\(script): \(made)") }
    }

    /// Commits what lies in the repository's working tree.
    func commit(_ message: String) throws {
        try Self.git("cd '\(cluster.work)/\(name)'; git add -A; git commit -q -m '\(message)'")
    }

    /// Starts a run on the command line.
    func start(_ inputs: String...) throws -> Int64 {
        let started = try ansflow(["run", name, "--json"] + inputs.flatMap { ["--input", $0] })
        guard started.code == 0, let id = try JSON(parsing: Array(started.output.utf8))["id"].int else {
            throw TestFailure("No run: \(started)")
        }
        return id
    }

    /// Runs whose event is this one, of all pipelines.
    func runs(event: String) throws -> [JSON] {
        try cluster.api.get("/api/v1/pipeline-runs?per_page=100")["items"].items.filter { $0["event"].text == event }
    }

    static func job(_ run: JSON, _ name: String) -> JSON {
        run["jobs"].items.first { $0["name"].text == name } ?? .null
    }

    func log(_ run: Int64, _ step: String) throws -> String {
        String(decoding: try cluster.rawLog(run, step), as: UTF8.self)
    }
}
