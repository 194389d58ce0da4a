import Foundation
import TestSupport
import Testing

/// Runs that another system executes and reports.
@Suite struct ReportedRunTests {
    private static func start(_ cluster: Cluster, _ pipeline: Int64) throws -> Int64 {
        let made = try cluster.api.call(
            "POST", "/api/v1/pipelines/\(pipeline)/runs", ["reported_by": "jenkins", "branch": "main"])
        return try #require(made["id"].int)
    }

    private static func log(_ cluster: Cluster, _ run: Int64) throws -> String {
        try cluster.api.request("GET", "/api/v1/pipeline-runs/\(run)/steps/reported/report/log?format=raw").text
    }

    /// What is sent is there, each byte once, over a kill of the controller; then the end.
    @Test func outputAndEndAreKeptOnceOverAKill() async throws {
        try await Cluster.with { cluster in
            let pipeline = try cluster.createPipeline("p", Cluster.definition("echo unused"))
            let run = try Self.start(cluster, pipeline)
            let path = "/api/v1/pipeline-runs/\(run)"
            let first = try cluster.api.call("POST", path + "/logs", ["lines": ["one", "two"], "offset": 0])
            #expect(first["bytes"].int == 8)
            let shown = try cluster.api.get(path)
            #expect(shown["status"].text == "running" && shown["event"].text == "reported")
            try cluster.controller.restart()
            cluster.api.disconnect()
            // Sent again since the answer was lost, with more behind it.
            let again = try cluster.api.call("POST", path + "/logs", ["text": "one\ntwo\nthree\n", "offset": 0])
            #expect(again["bytes"].int == 14)
            let hole = try cluster.api.request(
                "POST", path + "/logs", body: Array(#"{"text":"x","offset":99}"#.utf8))
            #expect(hole.status == 409 && hole.text.contains("14 bytes"))
            let text = try Self.log(cluster, run)
            #expect(text == "one\ntwo\nthree\n")
            for _ in 0..<2 {
                let ended = try cluster.api.call(
                    "POST", path + "/status", ["status": "failed", "exit_code": 3, "message": "Two tests failed."])
                #expect(ended["status"].text == "failed")
            }
            let late = try cluster.api.request("POST", path + "/status", body: Array(#"{"status":"success"}"#.utf8))
            #expect(late.status == 409)
            let more = try cluster.api.request("POST", path + "/logs", body: Array(#"{"text":"x"}"#.utf8))
            #expect(more.status == 409)
            let attempt = try cluster.api.get(path)["jobs"][0]["steps"][0]["attempts"][0]
            #expect(attempt["exit_code"].int == 3 && attempt["status"].text == "failed")
            let kept = try Self.log(cluster, run)
            #expect(kept == "one\ntwo\nthree\n")
            // Nobody's machine, and nothing that agents run goes there.
            #expect(try cluster.api.get("/api/v1/agents")["items"].items.count == 1)
            let rerun = try cluster.api.request("POST", path + "/rerun", body: Array("{}".utf8))
            #expect(rerun.status == 409)
        }
    }

    /// What is piped into the command line is there once and in order, although the controller is killed meanwhile.
    @Test func theCommandLineSendsOutputOverAKill() async throws {
        try await Cluster.with([]) { cluster in
            let pipeline = try cluster.createPipeline("p", Cluster.definition("echo unused"))
            let ansflow = CommandLineClient(cluster)
            let made = try ansflow("report", "start", "\(pipeline)", "--by", "script", "--branch", "main")
            let run = try #require(Int64(made.output.filter(\.isNumber)), "\(made)")
            let script = """
                (echo one; while [ ! -e go ]; do sleep 0.05; done; printf 'tw\\303\\266\\n') | '\(Binaries.client)' report log \(run)
                """
            let sender = try ChildProcess(
                "/bin/sh", ["-c", "cd '\(cluster.work)' && \(script)"], environment: ansflow.environment,
                output: cluster.root + "/sender")
            defer { sender.destroy() }
            try eventually(within: 20, "the first line is kept") { try Self.log(cluster, run) == "one\n" }
            cluster.controller.kill()
            try cluster.touch("go")
            try cluster.controller.start()
            cluster.api.disconnect()
            let code = try sender.wait(within: 30, "all is sent")
            let said = TextFile.read(cluster.root + "/sender")
            #expect(code == 0, "\(said)")
            #expect(try Self.log(cluster, run) == "one\ntw\u{F6}\n")
            let end = try ansflow("report", "end", "\(run)", "success")
            #expect(end.code == 0 && end.output.contains("success"), "\(end)")
            #expect(try cluster.api.get("/api/v1/pipeline-runs/\(run)")["status"].text == "success")
        }
    }

    /// Without an agent an ordinary run waits, although the place for other systems is connected; a cancelled one ends at once.
    @Test func ordinaryJobsDoNotGoThereAndACancelledRunEnds() async throws {
        try await Cluster.with([]) { cluster in
            let pipeline = try cluster.createPipeline("p", Cluster.definition("echo unused"))
            let reported = try Self.start(cluster, pipeline)
            let ordinary = try cluster.startRun(pipeline)
            _ = try cluster.api.call("POST", "/api/v1/pipeline-runs/\(reported)/logs", ["text": "begun\n"])
            let waiting = try cluster.api.get("/api/v1/pipeline-runs/\(ordinary)")
            #expect(waiting["status"].text == "pending", "\(waiting)")
            let mine = try cluster.api.request(
                "POST", "/api/v1/pipeline-runs/\(ordinary)/status", body: Array(#"{"status":"success"}"#.utf8))
            #expect(mine.status == 409 && mine.text.contains("AnsFlow executes this run itself"))
            _ = try cluster.api.call("POST", "/api/v1/pipeline-runs/\(reported)/cancel", [:])
            try eventually(within: 20, "the reported run ends") {
                try cluster.api.get("/api/v1/pipeline-runs/\(reported)")["status"].text == "cancelled"
            }
            #expect(try Self.log(cluster, reported) == "begun\n")
        }
    }
}
