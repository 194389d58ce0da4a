import TestSupport
import Testing

/// A log of no bytes: every `run` step shows its command first, so only an attempt that never started has one.
@Suite struct EmptyLogTests {
    @Test func everyFormAnswers() async throws {
        try await Cluster.with([.init(isProxied: true)]) { cluster in
            // START gets lost on the way, and the cancel finds an attempt that never began.
            var faults = FaultProxy.Faults()
            faults.toClient.flow = .discard
            cluster.proxy.faults = faults
            let run = try cluster.start("echo start >> \(cluster.work)/mark")
            try cluster.waitPhase(run, "starting")
            try cluster.api.call("POST", "/api/v1/pipeline-runs/\(run)/cancel", [:])
            cluster.proxy.heal()
            let end = try cluster.finish(run, within: 90)
            let attempt = Cluster.attempt(end)
            try #require(attempt["cause"].text == "never_started", "\(attempt)")
            #expect(attempt["log"]["bytes"].int == 0 && attempt["log"]["state"].text == "complete", "\(attempt)")
            try Self.check(cluster, run)
            // Nothing is stored of it, so another process must say the same.
            try cluster.controller.terminate()
            try cluster.controller.start()
            try cluster.controller.waitUntilReady(within: 30)
            try Self.check(cluster, run)
            #expect(cluster.lines("mark").isEmpty)
        }
    }

    private static func check(_ cluster: Cluster, _ run: Int64) throws {
        for query in ["format=json", "format=json&tail=5", "format=json&from_line=7&lines=3"] {
            let page = try cluster.api.get(cluster.logPath(run, "main/s", query))
            #expect(
                page["bytes"].int == 0 && page["total"].int == 0 && page["lines"].items.isEmpty, "\(query): \(page)")
            #expect(page["complete"].isTrue && page["holes"].items.isEmpty, "\(query): \(page)")
        }
        for query in ["format=text", "format=text&tail=5", "format=text&from_line=7", "format=raw"] {
            let answer = try cluster.api.request("GET", cluster.logPath(run, "main/s", query))
            #expect(answer.status == 200 && answer.body.isEmpty, "\(query): \(answer.status) \(answer.text)")
        }
        for range in ["bytes=0-", "bytes=0-9", "bytes=-5"] {
            let part = try cluster.api.request(
                "GET", cluster.logPath(run, "main/s", "format=raw"), headers: ["Range": range])
            #expect(part.status == 416 && part.headers["content-range"] == "bytes */0", "\(range): \(part.status)")
        }
        let ansflow = CommandLineClient(cluster)
        for words in [[], ["--tail", "3"], ["--raw"], ["--from-line", "9"], ["--follow"]] {
            let shown = try ansflow(["logs", "\(run)", "main/s"] + words)
            #expect(shown.code == 0 && shown.output.isEmpty, "\(words): \(shown)")
        }
    }
}
