import Foundation
import TestSupport
import Testing

/// Rows 17 and 18 of the fault matrix: full disks. They need small file systems, which only root may mount.
@Suite struct DiskTests {
    private static let mayMount: Bool = {
        guard geteuid() == 0, let root = try? Cluster.temporaryDirectory() else { return false }
        defer { rmdir(root) }
        let mounted = try? ChildProcess.run("/bin/mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", root]).code == 0
        if mounted == true { _ = try? ChildProcess.run("/bin/umount", [root]) }
        return mounted ?? false
    }()

    @Test(.enabled(if: mayMount, "mounting a small file system needs root"))
    func controller() async throws {
        try await Cluster.with(prepare: { cluster in
            try #require(try cluster.mountMemory(cluster.controller.dataDirectory, megabytes: 64))
        }) { cluster in
            let log = NumberedLog(megabytes: 6, chunks: 3)
            let pipeline = try cluster.createPipeline("q", Cluster.definition("echo start >> \(cluster.work)/late"))
            let run = try cluster.start(log.script(cluster.work))
            try log.release(0, cluster)
            try eventually(within: 30, "the first chunk is stored") {
                try cluster.logBytes(run) >= log.bytes(after: 0)
            }
            try Self.fill(cluster.controller.dataDirectory + "/filler")
            try log.release(1, cluster)
            let refused = try cluster.api.request(
                "POST", "/api/v1/pipelines/\(pipeline)/runs", body: Array("{}".utf8))
            #expect(refused.status == 503, "\(refused.text)")
            #expect(refused.headers["retry-after"] != nil)
            try #require(try cluster.show(run)["phase"].text == "running", "readers work")
            try eventually(within: 20, "readiness says so") {
                try cluster.api.request("GET", "/health/ready").status == 503
            }
            #expect(try cluster.api.request("GET", "/health/live").status == 200)
            try eventually(within: 20, "the step goes on") {
                TextFile.size(cluster.work + "/tee") >= Int(log.bytes(after: 1))
            }
            // Longer than an agent's report waits for the rest of its log when nothing comes: a full disk must not count as that.
            if Binaries.isFull {
                try log.releaseAll(cluster)
                Clock.pause(80)
            }
            let pid = cluster.controller.process?.pid
            try #require(cluster.controller.process?.ended() == nil, "a full disk ends nothing")
            unlink(cluster.controller.dataDirectory + "/filler")
            try cluster.controller.waitUntilReady(within: 30)
            // What was dropped is asked for at once: an agent alone would send again only after half a minute of silence.
            try eventually(within: 10, "the dropped bytes are stored") {
                try cluster.logBytes(run) >= log.bytes(after: 1)
            }
            try log.releaseAll(cluster)
            let end = try cluster.finish(run, within: 90)
            try #require(end["status"].text == "success", "\(end)")
            try #require(cluster.lines("mark").count == 1)
            try #require(try cluster.differs(end, from: "tee") == nil)
            let late = try cluster.finish(try cluster.startRun(pipeline))
            #expect(late["status"].text == "success")
            #expect(cluster.lines("late").count == 1, "what was refused was not started later")
            #expect(cluster.controller.process?.pid == pid, "it healed without a restart")
            try cluster.controller.terminate()
            try Self.checkDatabase(cluster.controller.dataDirectory)
        }
    }

    /// Writes zeros until nothing more fits.
    private static func fill(_ path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw TestFailure("\(path) can't be made.") }
        defer { close(descriptor) }
        for size in [1 << 20, 4096, 1] {
            let zeros = [UInt8](repeating: 0, count: size)
            while write(descriptor, zeros, size) == size {}
        }
    }

    private static func checkDatabase(_ directory: String) throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: directory)
        let database = try #require(names.first { $0.hasSuffix(".sqlite") || $0.hasSuffix(".db") }, "\(names)")
        guard TextFile.exists("/usr/bin/sqlite3") else { return }
        let result = try ChildProcess.run(
            "/usr/bin/sqlite3", ["\(directory)/\(database)", "pragma integrity_check"])
        try #require(result.output == "ok\n", "\(result)")
    }

    @Test(.enabled(if: mayMount, "mounting a small file system needs root"))
    func agent() async throws {
        try await Cluster.with([]) { cluster in
            try #require(try cluster.mountMemory(cluster.root + "/a1", megabytes: 8))
            try cluster.add(.init())
            try cluster.waitConnected("a1")
            // The spool can't be emptied before FORGET, so it fills the disk while the controller takes everything.
            let log = NumberedLog(megabytes: Binaries.isFull ? 50 : 20, chunks: 1)
            try log.releaseAll(cluster)
            let script = log.script(cluster.work) + "\nexit 3"
            let run = try cluster.start(script)
            let end = try cluster.finish(run, within: 90)
            let header = try #require(try cluster.header(of: run, script))
            let attempt = Cluster.attempt(end)
            try #require(attempt["exit_code"].int == 3, "the step was not hurt: \(attempt)")
            let (bytes, dropped) = (attempt["log"]["bytes"].int ?? -1, attempt["log"]["dropped_bytes"].int ?? -1)
            try #require(bytes > 1 << 20 && bytes < 8 << 20, "\(attempt)")
            try #require(bytes + dropped == Int64(header + log.bytes), "\(attempt)")
            let stored = try cluster.rawLog(run)
            try #require(
                stored.dropFirst(header).elementsEqual(
                    TextFile.bytes(cluster.work + "/tee").prefix(stored.count - header)))
            let next = try cluster.start("echo well", name: "next")
            #expect(try cluster.finish(next)["status"].text == "success", "there is room again")
        }
    }
}
