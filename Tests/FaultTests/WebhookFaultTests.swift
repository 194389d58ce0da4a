import ControllerWebhooks
import Foundation
import TestSupport
import Testing

/// Rows 24, 25 and 41 of the fault matrix for webhooks: a storm, a locked database, and connections that never say what they want.
@Suite struct WebhookFaultTests {
    private static let secret = "a secret of sixteen bytes or more"

    private static func prepare(_ cluster: Cluster) throws {
        let pipeline = try cluster.createPipeline(
            "p", "on: { webhook: { source: w } }\nagents: { none: x }\nsteps: [{ run: make }]\n")
        _ = try cluster.api.call(
            "POST", "/api/v1/projects/1/hooks",
            ["source": "generic", "name": "w", "secret": .string(secret), "pipelines": [.integer(pipeline)]])
    }

    private static func send(_ client: APIClient, _ number: Int) throws -> APIClient.Response {
        let body = Array("{\"number\": \(number)}".utf8)
        return try client.request(
            "POST", "/webhooks/generic?hook=1",
            headers: ["X-Hub-Signature-256": "sha256=" + Signature.sign(body: body, secret: secret)], body: body)
    }

    private static func stored(_ cluster: Cluster) throws -> Int64 {
        try cluster.api.get("/api/v1/webhook-events")["total"].int ?? -1
    }

    private final class Tally: @unchecked Sendable {
        private let lock = NSLock()
        private var counts: [Int: Int] = [:]
        func add(_ status: Int) { lock.withLock { counts[status, default: 0] += 1 } }
        subscript(_ status: Int) -> Int { lock.withLock { counts[status] ?? 0 } }
        var total: Int { lock.withLock { counts.values.reduce(0, +) } }
    }

    /// Sends from several connections at once, and waits for all of them.
    private static func storm(_ cluster: Cluster, _ numbers: Range<Int>, threads: Int) throws -> Tally {
        let tally = Tally()
        let group = DispatchGroup()
        let port = cluster.controller.port
        for thread in 0..<threads {
            group.enter()
            Thread {
                let client = APIClient(port: port)
                for number in numbers where number % threads == thread {
                    tally.add((try? send(client, number).status) ?? 0)
                }
                client.disconnect()
                group.leave()
            }.start()
        }
        guard group.wait(timeout: .now() + 120) == .success else {
            throw TestFailure("The storm did not end within two minutes.")
        }
        return tally
    }

    @Test func everyYesOfAStormHasItsRow() async throws {
        try await Cluster.with([]) { cluster in
            try Self.prepare(cluster)
            let count = Binaries.isFull ? 5_000 : 600
            let tally = try Self.storm(cluster, 0..<count, threads: 8)
            #expect(tally.total == count && tally[202] + tally[429] == count, "no other answer was given")
            #expect(try Self.stored(cluster) == Int64(tally[202]))
            let began = Clock.seconds
            _ = try cluster.api.get("/api/v1/pipeline-runs")
            #expect(Clock.seconds - began < 2, "reading goes on")
            try eventually(within: 120, "all are judged", pause: 200) {
                try cluster.api.get("/api/v1/webhook-events?state=judged")["total"].int == Int64(tally[202])
            }
            #expect(try cluster.api.get("/api/v1/pipeline-runs")["total"].int == Int64(tally[202]))
        }
    }

    private static let hasPython =
        (try? ChildProcess.run("/bin/sh", ["-c", "python3 -c 'import sqlite3'"]).code) == 0

    @Test(.enabled(if: hasPython, "locking from outside needs Python's sqlite3"))
    func aLockedDatabaseTakesNothingAndLosesNothing() async throws {
        try await Cluster.with([]) { cluster in
            try Self.prepare(cluster)
            let (ready, end) = (cluster.work + "/locked", cluster.work + "/unlock")
            let script = """
                import os, sqlite3, sys, time
                db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
                db.execute("BEGIN EXCLUSIVE")
                open(sys.argv[2], "w").close()
                limit = time.monotonic() + 60
                while not os.path.exists(sys.argv[3]) and time.monotonic() < limit: time.sleep(0.05)
                db.execute("ROLLBACK")
                """
            let locker = try ChildProcess(
                "/usr/bin/env",
                ["python3", "-c", script, cluster.controller.dataDirectory + "/ansflow.db", ready, end],
                output: cluster.root + "/locker.log")
            defer { locker.destroy() }
            try eventually(within: 30, "the database is locked") { FileManager.default.fileExists(atPath: ready) }
            let began = Clock.seconds
            let during = try Self.storm(cluster, 0..<8, threads: 8)
            #expect(during[503] == 8, "nothing that is not durable is said to be taken")
            #expect(Clock.seconds - began < 9, "five seconds, and no five for each")
            #expect(try Self.stored(cluster) == 0, "reading goes on")
            try cluster.touch("unlock")
            #expect(try locker.wait(within: 20) == 0)
            try cluster.controller.waitUntilReady(within: 30)
            let after = try Self.storm(cluster, 0..<8, threads: 2)
            #expect(after[202] == 8, "what was refused left nothing behind")
            try eventually(within: 30, "all are judged", pause: 100) {
                try cluster.api.get("/api/v1/webhook-events?state=judged")["total"].int == 8
            }
            #expect(try cluster.api.get("/api/v1/pipeline-runs")["total"].int == 8)
        }
    }

    @Test func halfARequestHoldsUpNoWebhook() async throws {
        try await Cluster.with([]) { cluster in
            try Self.prepare(cluster)
            let count = Binaries.isFull ? 2_000 : 300
            var idle: [RawConnection] = []
            for number in 0..<count {
                let connection = try RawConnection(port: cluster.controller.port, timeout: 30)
                connection.send(
                    number.isMultiple(of: 2) ? "POST /webhooks/generic?hook=1 HTTP/1.1\r\nHost: x\r\n" : "G")
                idle.append(connection)
            }
            let client = APIClient(port: cluster.controller.port)
            defer { client.disconnect() }
            for number in 0..<20 {
                let began = Clock.seconds
                #expect(try Self.send(client, number).status == 202)
                // Forges wait ten seconds.
                #expect(Clock.seconds - began < 8)
            }
            // Each is closed within its deadline, whether it was told why or not.
            let end = Clock.seconds + 25
            for connection in idle { while !connection.read().isEmpty {} }
            #expect(Clock.seconds < end)
        }
    }
}
