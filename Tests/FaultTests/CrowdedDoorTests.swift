import ControllerWebhooks
import Foundation
import TestSupport
import Testing

/// Row 41 of the fault matrix: half-sent requests, readers that sleep, and few open files; agents go on working.
@Suite struct CrowdedDoorTests {
    private static let secret = "a secret of sixteen bytes or more"

    private static func webhook(_ client: APIClient, _ number: Int) throws -> Int {
        let body = Array("{\"number\": \(number)}".utf8)
        return try client.request(
            "POST", "/webhooks/generic?hook=1",
            headers: ["X-Hub-Signature-256": "sha256=" + Signature.sign(body: body, secret: secret)], body: body
        ).status
    }

    private static func prepare(_ cluster: Cluster) throws {
        let hooked = try cluster.createPipeline(
            "hooked", "on: { webhook: { source: w } }\nagents: { none: x }\nsteps: [{ run: make }]\n")
        _ = try cluster.api.call(
            "POST", "/api/v1/projects/1/hooks",
            ["source": "generic", "name": "w", "secret": .string(secret), "pipelines": [.integer(hooked)]])
    }

    /// Connections of both listeners that never say what they want.
    private static func halfSent(_ cluster: Cluster, _ count: Int) -> [RawConnection] {
        (0..<count).compactMap { number in
            let port = number % 5 == 0 ? cluster.controller.agentPort : cluster.controller.port
            guard let connection = try? RawConnection(port: port, timeout: 40) else { return nil }
            connection.send(
                ["POST /webhooks/generic?hook=1 HTTP/1.1\r\nHost: x\r\n", "G", "GET / HTTP/1.1\r\nX: "][number % 3])
            return connection
        }
    }

    @Test func halfSentRequestsAndSleepersHoldUpNobody() async throws {
        let log = NumberedLog(megabytes: 8, chunks: 1)
        try await Cluster.with { cluster in
            try Self.prepare(cluster)
            let big = try cluster.start(log.script(cluster.work), name: "big")
            try log.releaseAll(cluster)
            try cluster.finish(big, within: 90)
            let before = cluster.controller.process?.residentBytes ?? 0
            // They ask for 8 MB each and read nothing.
            let sleepers = try (0..<(Binaries.isFull ? 200 : 40)).map { _ in
                let socket = try Sockets.connect(port: cluster.controller.port, receiveBuffer: 4096)
                let head =
                    "GET \(cluster.logPath(big, "main/s", "format=raw")) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(cluster.api.token ?? "")\r\n\r\n"
                try Sockets.write(socket, Array(head.utf8))
                return socket
            }
            defer { for socket in sleepers { close(socket) } }
            let idle = Self.halfSent(cluster, Binaries.isFull ? 2_000 : 500)
            let opened = Clock.seconds
            let client = APIClient(port: cluster.controller.port)
            defer { client.disconnect() }
            var slowest = 0.0
            for number in 0..<20 {
                let began = Clock.seconds
                // Each on a connection of its own, as forges do.
                client.disconnect()
                #expect(try Self.webhook(client, number) == 202)
                slowest = max(slowest, Clock.seconds - began)
            }
            #expect(slowest < 3, "a webhook took \(slowest) s")
            let began = Clock.seconds
            let run = try cluster.start("echo agents work", name: "beside")
            #expect(try cluster.finish(run)["status"].text == "success")
            #expect(Clock.seconds - began < 10)
            #expect(try cluster.agentState("a1")["connected"].isTrue)
            // 256 KiB of each sleeper may wait, and what a connection itself costs.
            let grown = (cluster.controller.process?.residentBytes ?? 0) - before
            #expect(grown < (sleepers.count * 1_000 + idle.count * 40 + 60_000) * 1024, "\(grown >> 20) MiB")
            // Each that said nothing whole is closed within its deadline.
            for connection in idle { while !connection.read().isEmpty {} }
            #expect(Clock.seconds - opened < 25)
            #expect(try cluster.show(run)["status"].text == "success")
        }
    }

    private static let hasLimits = TextFile.exists("/usr/bin/prlimit")

    /// However many come, agents, logs and the database find a file to open, and one address does not fill the door.
    @Test(.enabled(if: hasLimits, "prlimit sets the number of open files"))
    func whereFilesAreFewAgentsComeFirst() async throws {
        try await Cluster.with(prepare: { $0.controller.openFilesMax = 300 }) { cluster in
            try Self.prepare(cluster)
            let pipeline = try cluster.createPipeline(
                "p",
                Cluster.definition(
                    "i=0; while [ ! -e \(cluster.work)/go ]; do i=$((i+1)); echo $i; sleep 0.1; done; echo end"))
            let runs = try (0..<2).map { _ in try cluster.startRun(pipeline) }
            for run in runs { try cluster.waitPhase(run, "running") }
            let idle = Self.halfSent(cluster, 700)
            defer { withExtendedLifetime(idle) {} }
            try #require(idle.count > 400)
            try cluster.touch("go")
            cluster.api.disconnect()
            #expect(try Self.webhook(APIClient(port: cluster.controller.port), 1) == 202)
            for run in runs {
                let end = try eventually(within: 30, "run \(run) ends", pause: 200) { () -> JSON? in
                    let now = try? cluster.show(run)
                    return now?["phase"].text == "finished" ? now : nil
                }
                #expect(end["status"].text == "success", "\(end)")
                #expect(Cluster.attempt(end)["log"]["state"].text == "complete", "\(end)")
            }
            let log = TextFile.lines(cluster.controller.log)
            #expect(!log.contains { $0.contains("halt") && $0.contains("error") }, "nothing could not be made durable")
            #expect(cluster.controller.process?.ended() == nil)
            #expect(try Self.webhook(APIClient(port: cluster.controller.port), 2) == 202)
        }
    }
}
