import Foundation
import TestSupport
import Testing

/// Row 37 of the fault matrix: a backup is put back while agents know of later things.
@Suite struct RestoreTests {
    private func command(_ arguments: [String]) throws -> (code: Int32, output: String, errors: String) {
        try ChildProcess.run(Binaries.controller, arguments, within: 120)
    }

    @Test func nothingRunsAgainBehindARestore() async throws {
        try await Cluster.with([.init(slots: 4)]) { cluster in
            let data = cluster.controller.dataDirectory
            let pipeline = try cluster.createPipeline(
                "p", Cluster.definition("echo start >> \(cluster.work)/run-$ANSFLOW_RUN_ID"))
            let long = try cluster.createPipeline(
                "long",
                Cluster.definition(
                    "echo start >> \(cluster.work)/long-$ANSFLOW_RUN_ID; while [ ! -e \(cluster.work)/go ]; do sleep 0.1; done"
                ))
            let before = try cluster.startRun(pipeline)
            try cluster.finish(before)
            // Row 34 of the security list: what could be in a thief's hands with the backup is good for nothing behind it.
            let login = APIClient(port: cluster.controller.port)
            try login.login("admin", ClusterTemplate.password)
            try #require(try login.request("GET", "/api/v1/auth/me").status == 200)
            let token = try cluster.enrolmentToken()
            // Ends behind the backup, and is then not known to have ended.
            let across = try cluster.startRun(long)
            try cluster.waitLines("long-\(across)")
            try TextFile.write(cluster.root + "/passphrase", "correct horse battery\n")
            let made = try command([
                "backup", "--data-dir", data, "--passphrase-file", cluster.root + "/passphrase",
                cluster.root + "/backups",
            ])
            try #require(made.code == 0, "\(made)")
            let name = try #require(
                try FileManager.default.contentsOfDirectory(atPath: cluster.root + "/backups").first)
            let backup = "\(cluster.root)/backups/\(name)"
            try cluster.touch("go")
            try cluster.finish(across)
            unlink(cluster.work + "/go")
            var later: [Int64] = []
            for _ in 0..<2 {
                let run = try cluster.startRun(pipeline)
                try cluster.finish(run)
                later.append(run)
            }
            // Still runs at the agent when the controller that knows it is gone.
            let orphan = try cluster.startRun(long)
            try cluster.waitLines("long-\(orphan)")
            later.append(orphan)
            cluster.controller.kill()
            cluster.api.disconnect()

            let verified = try command(["verify", backup, "--passphrase-file", cluster.root + "/passphrase"])
            try #require(verified.code == 0, "\(verified)")
            try FileManager.default.moveItem(atPath: data, toPath: data + "-lost")
            let restored = try command([
                "restore", backup, "--data-dir", data, "--passphrase-file", cluster.root + "/passphrase",
            ])
            try #require(restored.code == 0, "\(restored)")
            try cluster.controller.start()
            try cluster.waitConnected("a1", within: 60)

            #expect(try login.request("GET", "/api/v1/auth/me").status == 401, "logins have ended")
            let joined = try ChildProcess.run(
                Binaries.agent,
                [
                    "enrol", "--controller", "https://127.0.0.1:\(cluster.controller.agentPort)", "--token", token,
                    "--data-dir", cluster.root + "/thief", "--name", "thief",
                ])
            #expect(joined.code != 0, "enrolment tokens are gone")
            try #require(try cluster.show(before)["status"].text == "success")
            for run in later {
                #expect(try cluster.api.request("GET", "/api/v1/pipeline-runs/\(run)").status == 404)
            }
            let cut = try cluster.show(across)
            #expect(cut["status"].text == "cancelled" || cut["status"].text == "failed", "\(cut)")
            #expect(cut["phase"].text == "finished", "\(cut)")
            let alarms = try cluster.agentState("a1")["alarms"].items.compactMap { $0["kind"].text }
            #expect(alarms.contains("orphans"), "\(alarms)")
            let next = try cluster.startRun(pipeline)
            #expect(next > (later.max() ?? 0) + 1000, "numbers jump ahead")
            #expect(try cluster.finish(next, within: 90)["status"].text == "success")
            #expect(cluster.lines("run-\(next)").count == 1)
            for run in [before] + later.dropLast() {
                #expect(cluster.lines("run-\(run)").count == 1, "run \(run) did not run again")
            }
            for run in [across, orphan] {
                #expect(cluster.lines("long-\(run)").count == 1, "run \(run) did not run again")
            }
            // The orphan was stopped: its slot is free again.
            try eventually(within: 60, "no step of the orphan is left") {
                ProcessTable.living(under: cluster.root).allSatisfy { pid in
                    !TextFile.read("/proc/\(pid)/cmdline").contains("sleep 0.1")
                        && !TextFile.read("/proc/\(pid)/cmdline").contains("/go ]")
                }
            }
        }
    }

    @Test func aLostPasswordIsReplaced() async throws {
        try await Cluster.with([]) { cluster in
            let data = cluster.controller.dataDirectory
            let client = APIClient(port: cluster.controller.port)
            try client.login("admin", ClusterTemplate.password)
            let reset = try command(["user", "reset-password", "admin", "--data-dir", data])
            try #require(reset.code == 0, "\(reset)")
            let line = try #require(reset.output.split(separator: "\n").first { $0.hasPrefix("password: ") })
            let password = String(line.dropFirst(10))
            try eventually(within: 10, "the old login has ended") {
                try client.request("GET", "/api/v1/auth/me").status == 401
            }
            try client.login("admin", password)
            #expect(try client.request("GET", "/api/v1/auth/me").status == 200)
            // The same while nothing runs.
            try cluster.controller.terminate()
            let offline = try command(["user", "create", "octo", "--data-dir", data])
            #expect(offline.code == 0 && offline.output.contains("password: "), "\(offline)")
            let list = try command(["user", "list", "--data-dir", data])
            #expect(list.output.contains("\tadmin\tadministrator\n") && list.output.contains("\tocto\n"), "\(list)")
            let doctor = try command(["doctor", "--data-dir", data])
            #expect(doctor.code == 0, "\(doctor)")
        }
    }
}
