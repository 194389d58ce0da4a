import TestSupport
import Testing

/// Live topics as a page or a script uses them.
@Suite struct LiveTests {
    private static func isEnd(_ message: JSON) -> Bool {
        message["type"].text == "execution_update" && message["data"]["phase"].text == "finished"
            && message["data"]["job"] == .null
    }

    private static func states(_ messages: [JSON]) -> [Int64] {
        messages.filter { ["execution_update", "step_update"].contains($0["type"].text) }.compactMap { $0["seq"].int }
    }

    @Test func goesOnWhereItStopped() async throws {
        try await Cluster.with { cluster in
            let run = try cluster.start(
                "echo one; echo start >> \(cluster.work)/mark; while [ ! -e \(cluster.work)/go ]; do sleep 0.05; done")
            try cluster.waitLines("mark")
            try cluster.waitPhase(run, "running")
            func viewer(_ query: String) throws -> LiveClient {
                try LiveClient(
                    port: cluster.controller.port, path: "/ws/executions/\(run)/\(query)", token: cluster.api.token)
            }
            let first = try viewer("").messages(within: 10) { $0["type"].text == "snapshot" }
            let snapshot = try #require(first.last)
            let (seq, generation) = (snapshot["seq"].int ?? 0, snapshot["data"]["generation"].int ?? 0)
            #expect(seq > 0 && generation > 0, "\(snapshot)")
            try cluster.touch("go")
            try cluster.finish(run)
            let rest = try viewer("?after=\(seq)&generation=\(generation)").messages(within: 10, until: Self.isEnd)
            #expect(!rest.contains { $0["type"].text == "snapshot" }, "nothing is missing, so nothing is repeated")
            let numbers = Self.states(rest)
            #expect(numbers.first == seq + 1 && numbers == Array(seq + 1...seq + Int64(numbers.count)), "\(numbers)")
            let other = try viewer("?after=\(seq)&generation=\(generation + 7)").messages(within: 10) { _ in true }
            #expect(other.first?["type"].text == "snapshot", "a cursor of another generation gets a snapshot")
        }
    }

    @Test func pipelineProjectAndSystemSeeRuns() async throws {
        try await Cluster.with { cluster in
            let pipeline = try cluster.createPipeline("p", Cluster.definition("echo seen"))
            let token = cluster.api.token
            let ofPipeline = try LiveClient(
                port: cluster.controller.port, path: "/ws/pipeline/\(pipeline)", token: token)
            let ofSystem = try LiveClient(port: cluster.controller.port, path: "/ws/system", token: token)
            let project = try #require(cluster.api.get("/api/v1/pipelines/\(pipeline)")["project_id"].int)
            let ofProject = try LiveClient(
                port: cluster.controller.port, path: "/ws/project/\(project)", token: token)
            let viewers = [ofPipeline, ofProject, ofSystem]
            for viewer in viewers {
                _ = try viewer.messages(within: 10) { $0["type"].text == "snapshot" }
            }
            let run = try cluster.startRun(pipeline)
            for viewer in viewers {
                let messages = try viewer.messages(within: 30, until: Self.isEnd)
                let hasSteps = messages.contains { $0["type"].text == "step_update" }
                #expect(hasSteps == (viewer !== ofSystem))
                #expect(messages.last?["data"]["execution_id"].int == run)
                #expect(messages.last?["data"]["status"].text == "success")
            }
            // A viewer that was away gets what it missed, and of a project that is not there nothing.
            let again = try LiveClient(
                port: cluster.controller.port, path: "/ws/project/\(project)?after=0", token: token)
            let missed = try again.messages(within: 10, until: Self.isEnd)
            #expect(missed.contains { $0["type"].text == "step_update" } && missed.first?["type"].text != "snapshot")
            #expect(throws: TestFailure.self) {
                _ = try LiveClient(port: cluster.controller.port, path: "/ws/project/999", token: token).messages(
                    within: 10
                ) { _ in true }
            }
        }
    }

    @Test func ticketsAreForOnce() async throws {
        try await Cluster.with([]) { cluster in
            let answer = try cluster.api.call("POST", "/api/v1/ws-tickets", [:])
            let ticket = try #require(answer["ticket"].text)
            func open(_ query: String) throws {
                let viewer = try LiveClient(port: cluster.controller.port, path: "/ws/system\(query)", token: nil)
                _ = try viewer.messages(within: 10) { $0["type"].text == "snapshot" }
            }
            try open("?token=\(ticket)")
            #expect(throws: TestFailure.self) { try open("?token=\(ticket)") }
            #expect(throws: TestFailure.self) { try open("") }
        }
    }
}
