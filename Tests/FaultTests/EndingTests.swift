import Foundation
import TestSupport
import Testing

/// Rows 31, 32 and 35 of the fault matrix: how steps end.
@Suite struct EndingTests {
    @Test func stepIgnoresTermination() async throws {
        try await Cluster.with { cluster in
            let run = try cluster.start(
                """
                trap '' TERM INT HUP
                echo $$ >> \(cluster.work)/pids
                echo start >> \(cluster.work)/mark
                while true; do sleep 1; done
                """)
            try cluster.waitLines("mark")
            let began = Clock.seconds
            try cluster.api.call("POST", "/api/v1/pipeline-runs/\(run)/cancel", ["reason": "a test says so"])
            let end = try cluster.finish(run, within: 20)
            let seconds = Clock.seconds - began
            try #require(end["status"].text == "cancelled", "\(end)")
            #expect(seconds > 8 && seconds < 16, "10 s of grace, then KILL: \(seconds) s")
            let pid = try #require(cluster.lines("pids").first.flatMap { Int32($0) })
            #expect(!ProcessTable.isAlive(pid), "what is terminal has no process")
        }
    }

    @Test func grandchildrenHoldTheOutput() async throws {
        try await Cluster.with { cluster in
            let run = try cluster.start(
                """
                echo before
                (setsid sh -c 'echo $$ >> \(cluster.work)/pids; exec sleep 999' &)
                while [ ! -s \(cluster.work)/pids ]; do sleep 0.02; done
                date +%s%N >> \(cluster.work)/ended
                """)
            try cluster.waitLines("ended")
            let began = Clock.seconds
            let end = try cluster.finish(run, within: 20)
            #expect(Clock.seconds - began < 5, "2 s for what is left, then KILL: \(Clock.seconds - began) s")
            try #require(end["status"].text == "success", "\(end)")
            let pid = try #require(cluster.lines("pids").first.flatMap { Int32($0) })
            #expect(!ProcessTable.isAlive(pid), "what is terminal has no process")
            #expect(try cluster.rawLog(run).suffix(8) == Array("\nbefore\n".utf8)[...])
        }
    }

    @Test func stepRunsOutOfTime() async throws {
        try await Cluster.with { cluster in
            let run = try cluster.start("echo start >> \(cluster.work)/mark; sleep 600", words: ["timeout: 2s"])
            let end = try cluster.finish(run, within: 30)
            #expect(Cluster.attempt(end)["result"].text == "timed_out", "\(end)")
            #expect(end["status"].text == "failed")
        }
    }

    @Test func cancelRacesFinish() async throws {
        let count = Binaries.isFull ? 1000 : 30
        try await Cluster.with([.init(slots: 4)]) { cluster in
            let pipeline = try cluster.createPipeline(
                "p", Cluster.definition("echo start >> \(cluster.work)/run-$ANSFLOW_RUN_ID; sleep 0.1"))
            var runs: [Int64] = []
            for _ in 0..<count {
                let run = try cluster.startRun(pipeline)
                runs.append(run)
                if runs.count % 2 == 0 {
                    Clock.pause(Double.random(in: 0...0.3))
                } else {
                    try eventually(within: 20, "the step began") { cluster.lines("run-\(run)").count > 0 }
                    Clock.pause(Double.random(in: 0.05...0.25))
                }
                try cluster.api.call("POST", "/api/v1/pipeline-runs/\(run)/cancel", [:])
            }
            var results: [String: Int] = [:]
            for run in runs {
                let end = try cluster.finish(run, within: 60)
                let status = end["status"].text ?? ""
                results[status, default: 0] += 1
                try #require(["success", "cancelled"].contains(status), "\(end)")
                try #require(cluster.lines("run-\(run)").count <= 1)
                let events = try cluster.api.get("/api/v1/pipeline-runs/\(run)/events?limit=1000")["items"].items
                try #require(events.map { $0["seq"].int } == (1...Int64(events.count)).map { $0 }, "no holes")
                // Events of jobs say how the run stands, too.
                let ends = events.filter { event in
                    event["type"].text == "execution_update" && event["data"]["phase"].text == "finished"
                        && event["data"]["job"] == .null
                }
                try #require(ends.count == 1, "one end: \(ends)")
                try #require(ends.first?["data"]["status"].text == status)
            }
            for run in runs {
                let again = try cluster.show(run)
                let last = try cluster.api.get("/api/v1/pipeline-runs/\(run)/events?limit=1000")["items"].items.last
                try #require(again["phase"].text == "finished")
                #expect(last?["data"]["phase"].text == "finished")
            }
            #expect(results.values.reduce(0, +) == count, "\(results)")
            try eventually(within: 15, "no step is left") {
                try cluster.agentState("a1")["busy"].int == 0
            }
        }
    }
}
