import AnsFlowProtocol
package import ControllerCore
import GRDB

extension Database {
    package func run(of build: MirroredBuild) async throws -> RunID? {
        try await read { db in
            try db.first(
                "SELECT run FROM mirrored_builds WHERE hook = ? AND pipeline = ? AND name = ?",
                {
                    $0.add(build.hook)
                    $0.add(build.pipeline)
                    $0.add(build.name)
                }
            ) { $0.id() }
        }
    }
}

extension MirroredBuild {
    /// In the transaction that makes the run.
    func note(_ run: RunID, _ db: Connection) throws {
        try db.run(
            """
            INSERT INTO mirrored_builds (hook, pipeline, name, run) VALUES (?, ?, ?, ?)
            ON CONFLICT (hook, pipeline, name) DO UPDATE SET run = excluded.run
            """
        ) {
            $0.add(hook)
            $0.add(pipeline)
            $0.add(name)
            $0.add(run)
        }
    }
}
