import Foundation
import TestSupport
import Testing

/// What has failed is tried again, also where a program is killed while it waits for that.
@Suite struct RetryTests {
    /// Exits with `code` until it was called `good` times.
    private static func script(_ cluster: Cluster, good: Int, code: Int = 75) -> String {
        """
        echo $ANSFLOW_ATTEMPT >> \(cluster.work)/tries
        test "$(wc -l < \(cluster.work)/tries)" -ge \(good) || exit \(code)
        echo "well after $((6 * 7))"
        """
    }

    @Test func aStepIsTriedAgainForItsExitCode() async throws {
        try await Cluster.with { cluster in
            let run = try cluster.start(
                Self.script(cluster, good: 3), words: ["retry: { max: 2, exit_codes: [75], backoff: 2s }"])
            let end = try cluster.finish(run)
            #expect(end["status"].text == "success", "\(end)")
            #expect(cluster.lines("tries") == ["1", "2", "3"])
            let attempts = Cluster.step(end)["attempts"].items
            #expect(attempts.map { $0["result"].text } == ["failed", "failed", "success"])
            #expect(attempts.map { $0["exit_code"].int } == [75, 75, 0])
            // The second pause is twice the first. Both count by the controller's ticks, one of which may just be over.
            let pauses = zip(attempts, attempts.dropFirst()).map { before, after in
                Self.seconds(after["started_at"]) - Self.seconds(before["finished_at"])
            }
            #expect(pauses[0] >= 0.9 && pauses[1] >= 2.9, "\(pauses)")
            for attempt in 1...3 {
                let log = try cluster.api.request("GET", cluster.logPath(run, "main/s", "attempt=\(attempt)"))
                #expect(log.text.contains("well after 42") == (attempt == 3), "\(log.text)")
            }
            let shown = try CommandLineClient(cluster)("show", "\(run)")
            #expect(shown.output.contains("attempt 1") && shown.output.contains("exit code 75"), "\(shown.output)")
        }
    }

    @Test func anotherExitCodeIsTheEnd() async throws {
        try await Cluster.with { cluster in
            let run = try cluster.start(
                Self.script(cluster, good: 9, code: 3), words: ["retry: { max: 2, exit_codes: [75] }"])
            #expect(try cluster.finish(run)["status"].text == "failed")
            #expect(cluster.lines("tries").count == 1)
        }
    }

    /// The back-off is kept, and ends, whoever of the two is away meanwhile.
    @Test(arguments: ["controller", "agent"]) func killedInTheBackOff(who: String) async throws {
        try await Cluster.with { cluster in
            let run = try cluster.start(
                Self.script(cluster, good: 2), words: ["retry: { max: 3, exit_codes: [75], backoff: 4s }"])
            let reason = try eventually(within: 30, "the step waits for its second attempt") { () -> JSON? in
                try cluster.show(run)["waiting"].items.first { $0["kind"].text == "retry" }
            }
            #expect(reason["step"].text == "s")
            #expect((reason["remaining_ms"].int ?? 0) > 0, "\(reason)")
            let shown = try CommandLineClient(cluster)("show", "\(run)")
            #expect(shown.output.contains("tried again in"), "\(shown.output)")
            if who == "controller" {
                try cluster.controller.restart()
                cluster.api.disconnect()
            } else {
                cluster.agent.kill()
                try cluster.agent.start()
            }
            let end = try cluster.finish(run, within: 90)
            #expect(end["status"].text == "success", "\(end)")
            #expect(cluster.lines("tries") == ["1", "2"], "nothing was lost and nothing ran twice")
            #expect(Cluster.step(end)["attempts"].items.map { $0["result"].text } == ["failed", "success"])
        }
    }

    @Test func aJobIsDoneAgainElsewhereWhereItsAgentIsLost() async throws {
        try await Cluster.with { cluster in
            let path = "\(cluster.work)/hosts"
            let definition = """
                jobs:
                  build:
                    retry: { max: 1, on: [agent_lost] }
                    steps:
                      - id: first
                        run: echo "$ANSFLOW_AGENT" >> \(cluster.work)/first
                      - id: long
                        run: |
                          echo "$ANSFLOW_AGENT" >> \(path)
                          test "$(wc -l < \(path))" -ge 2 || sleep 600
                """
            let run = try cluster.startRun(try cluster.createPipeline("p", definition))
            try cluster.waitLines("hosts")
            try cluster.add(.init("a2"))
            try cluster.waitConnected("a2")
            cluster.agent.kill()
            try cluster.agent.killShims()
            try cluster.waitConnected("a1", false)
            let id = try cluster.agentState("a1")["id"].int ?? 0
            try cluster.api.call("POST", "/api/v1/agents/\(id)/gone", ["reason": "burnt"])
            let end = try cluster.finish(run, within: 90)
            #expect(end["status"].text == "success", "\(end)")
            #expect(cluster.lines("hosts") == ["a1", "a2"])
            #expect(cluster.lines("first") == ["a1", "a2"], "the whole job is done again")
            let attempts = end["jobs"][0]["attempts"].items
            #expect(attempts.map { $0["result"].text } == ["lost", "success"])
            #expect(attempts.map { $0["agent"].text } == ["a1", "a2"])
        }
    }

    private static func seconds(_ time: JSON) -> Double {
        let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        return time.text.flatMap { try? format.parse($0) }?.timeIntervalSince1970 ?? 0
    }
}
