import TestSupport
import Testing

/// Open sockets of people who may not look any more.
@Suite struct LiveEndTests {
    private struct Guest {
        var id: Int64
        var client: APIClient
        /// A run with its log, a project, and many topics on one socket.
        var run: LiveClient
        var project: LiveClient
        var many: LiveClient
    }

    private static let password = "correct horse battery"

    private static func guest(_ cluster: Cluster, _ name: String, _ run: Int64) throws -> Guest {
        let made = try cluster.api.call(
            "POST", "/api/v1/users", ["username": .string(name), "password": .string(password)])
        let id = try #require(made["id"].int)
        _ = try cluster.api.call("PUT", "/api/v1/projects/1/members/\(id)", ["role": "viewer"])
        let client = APIClient(port: cluster.controller.port)
        try client.login(name, password)
        func open(_ path: String) throws -> LiveClient {
            try LiveClient(port: cluster.controller.port, path: path, token: client.token)
        }
        let guest = Guest(
            id: id, client: client, run: try open("/ws/executions/\(run)/?logs=1"), project: try open("/ws/project/1"),
            many: try open("/ws"))
        try guest.many.say(["type": "subscribe", "topic": .string("run:\(run)"), "logs": true])
        for socket in [guest.run, guest.project, guest.many] {
            _ = try socket.messages(within: 10) { $0["type"].text == "snapshot" }
        }
        // The log flows.
        for socket in [guest.run, guest.many] {
            _ = try socket.messages(within: 10) { $0["type"].text == "log_update" }
        }
        return guest
    }

    /// Reads everything until the socket is closed or `stop` says so, and gives how long that took; nil where neither came.
    private static func wait(_ socket: LiveClient, until stop: (JSON) -> Bool = { _ in false }) throws -> Double? {
        let began = ContinuousClock.now
        func passed() -> Double {
            let elapsed = (ContinuousClock.now - began).components
            return Double(elapsed.seconds) + Double(elapsed.attoseconds) / 1e18
        }
        while passed() < 10 {
            while let message = try socket.next() { if stop(message) { return passed() } }
            if socket.isClosed { return passed() }
            try socket.readSome(max: 256 * 1024, within: 50)
        }
        return nil
    }

    @Test func theyEndWithinFiveSeconds() async throws {
        try await Cluster.with { cluster in
            let run = try cluster.start(
                "while [ ! -e \(cluster.work)/go ]; do echo line; sleep 0.05; done")
            try cluster.waitPhase(run, "running")

            let disabled = try Self.guest(cluster, "octo", run)
            _ = try cluster.api.call("PATCH", "/api/v1/users/\(disabled.id)", ["disabled": true])
            for (name, socket) in [("run", disabled.run), ("project", disabled.project), ("many", disabled.many)] {
                let seconds = try Self.wait(socket)
                #expect(socket.isClosed && seconds ?? 10 < 5, "\(name): \(seconds ?? 10)")
                #expect(socket.closeCode == 1008, "\(name)")
            }

            let former = try Self.guest(cluster, "quad", run)
            _ = try cluster.api.call("DELETE", "/api/v1/projects/1/members/\(former.id)")
            for (name, socket) in [("run", former.run), ("project", former.project)] {
                let seconds = try Self.wait(socket)
                #expect(socket.isClosed && seconds ?? 10 < 5, "\(name): \(seconds ?? 10)")
            }
            // The login is good for other projects, so the socket stays, and its topic ends.
            let seconds = try Self.wait(former.many) {
                $0["type"].text == "error" && $0["data"]["topic"].text == "run:\(run)"
            }
            #expect(seconds ?? 10 < 5 && !former.many.isClosed, "\(seconds ?? 10)")
            _ = try? former.many.messages(within: 1) { message in
                #expect(!["log_update", "step_update", "execution_update"].contains(message["type"].text))
                return false
            }
            #expect(try former.client.request("GET", "/api/v1/pipeline-runs/\(run)").status == 404)
            try cluster.touch("go")
            try cluster.finish(run)
        }
    }

    @Test func theSystemTellsOfAgentsAndFigures() async throws {
        try await Cluster.with { cluster in
            let socket = try LiveClient(
                port: cluster.controller.port, path: "/ws/system", token: cluster.api.token)
            let first = try socket.messages(within: 10) { $0["type"].text == "statistics" }
            #expect(first.last?["data"]["connected_agents"].int == 1, "\(first)")
            _ = try cluster.api.call("PATCH", "/api/v1/agents/1", ["paused": true, "note": "cleaning"])
            let paused = try socket.messages(within: 10) {
                $0["type"].text == "agent_update" && $0["data"]["paused"].isTrue
            }
            #expect(paused.last?["data"]["note"].text == "cleaning")
            let run = try cluster.start("true")
            let waiting = try socket.messages(within: 10) {
                $0["type"].text == "statistics" && $0["data"]["queued_jobs"].int == 1
            }
            #expect(waiting.last?["data"]["active_runs"].int == 1)
            _ = try cluster.api.call("POST", "/api/v1/agents/1/resume", [:])
            try cluster.finish(run)
        }
    }
}
