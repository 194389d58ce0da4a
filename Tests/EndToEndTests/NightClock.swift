import Foundation
import TestSupport

/// Turns the schedules of a controller that is down back by days, as if nobody had looked since.
struct NightClock {
    static let isThere =
        (try? ChildProcess.run("/bin/sh", ["-c", "python3 -c 'import sqlite3'"]).code) == 0

    private let cluster: Cluster
    init(_ cluster: Cluster) { self.cluster = cluster }

    /// Names of the schedules of pipeline 1.
    func schedules() throws -> [String] {
        try cluster.api.get("/api/v1/pipelines/1/schedules")["items"].items.compactMap { $0["name"].text }.sorted()
    }

    func setBack(days: Int) throws {
        let script = """
            import sqlite3, sys
            db = sqlite3.connect(sys.argv[1])
            changed = db.execute("UPDATE schedules SET since = since - ?", (int(sys.argv[2]) * 86400000,)).rowcount
            db.commit()
            sys.exit(0 if changed else "no schedule was changed")
            """
        let result = try ChildProcess.run(
            "/usr/bin/env", ["python3", "-c", script, cluster.controller.dataDirectory + "/ansflow.db", "\(days)"])
        guard result.code == 0 else { throw TestFailure("The schedules can't be turned back: \(result)") }
    }

    /// A pipeline of its own whose night is due as well once the schedules were turned back: when its run is there, the scheduler has looked.
    func makeProbe(_ name: String) throws -> Int64 {
        let probe = try cluster.createPipeline(
            name, "on: { cron: [{ name: probe, at: \"30 2 * * *\", missed: run_once }] }\nsteps: [{ run: \"true\" }]\n")
        try eventually(within: 20, "the schedule of \(name) is known") {
            try !cluster.api.get("/api/v1/pipelines/\(probe)/schedules")["items"].items.isEmpty
        }
        return probe
    }

    func waitForLook(_ probe: Int64) throws {
        try eventually(within: 30, "the scheduler has looked") {
            try cluster.api.get("/api/v1/pipelines/\(probe)/schedules")["items"][0]["last_run_id"].int != nil
        }
    }
}
