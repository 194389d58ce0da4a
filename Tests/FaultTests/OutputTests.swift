import Glibc
import TestSupport
import Testing

/// Rows 14, 15, 16 and 42 of the fault matrix: what steps write.
@Suite struct OutputTests {
    @Test func oneLineWithoutEnd() async throws {
        // The command before it takes the rest of the limit.
        let bytes = Binaries.isFull ? (1 << 30) - 4096 : 64 << 20
        try await Cluster.with { cluster in
            let run = try cluster.start(
                "head -c \(bytes) /dev/zero", words: ["limits: { log: 1GiB }"])
            let end = try cluster.finish(run, within: Binaries.isFull ? 900 : 120)
            try #require(end["status"].text == "success", "\(end)")
            let log = Cluster.attempt(end)["log"]
            let copy = cluster.work + "/copy"
            try cluster.download(run, to: copy)
            try #require(try TextFile.sha256(copy) == log["sha256"].text && log["state"].text == "complete", "\(log)")
            // Of 64 MiB and of 1 GiB of zeros.
            let sums = [
                64 << 20: "3b6a07d0d404fab4e23b6d34bc6696a6a312dd92821332385e5af7c01c421351",
                (1 << 30) - 4096: "2a22e333599f859f885b082ca58fc5fec08f30c02b96f35a20ea97d1392a34ac",
            ]
            let zeros = try ChildProcess.run("/bin/sh", ["-c", "tail -c \(bytes) \(copy) | sha256sum"], within: 120)
            try #require(zeros.output.prefix(64) == sums[bytes] ?? "")
            unlink(copy)
            let most = 150 << 20
            #expect(ProcessTable.peakBytes(cluster.controller.process?.pid ?? 0) < most)
            #expect(ProcessTable.peakBytes(cluster.agent.process?.pid ?? 0) < most)
            for shim in cluster.agent.shims { #expect(ProcessTable.peakBytes(shim) < most) }
            let page = try cluster.api.get(cluster.logPath(run, "main/s", "format=json&lines=3"))
            #expect(page.bytes.count < 1 << 20, "no answer holds a whole endless line")
        }
    }

    @Test func bytesThatAreNoText() async throws {
        let bytes = Binaries.isFull ? 10 << 20 : 2 << 20
        try await Cluster.with { cluster in
            let run = try cluster.start(
                """
                head -c \(bytes) /dev/urandom | tee \(cluster.work)/tee
                printf 'split \\360\\237' | tee -a \(cluster.work)/tee; sleep 0.3
                printf '\\230\\200 \\033[31mred\\033[0m \\033]0;title\\007 \\000 end\\r\\n' | tee -a \(cluster.work)/tee
                """)
            let end = try cluster.finish(run)
            try #require(end["status"].text == "success", "\(end)")
            try #require(try cluster.differs(end, from: "tee") == nil)
            let text = try cluster.api.request("GET", cluster.logPath(run, "main/s", "format=text&tail=1"))
            #expect(String(validating: text.body, as: UTF8.self) != nil, "text is always UTF-8")
            #expect(text.text.contains("\u{1F600}"), "a code point that came in two pieces is whole")
        }
    }

    @Test func moreThanTheLimit() async throws {
        try await Cluster.with { cluster in
            let log = NumberedLog(megabytes: 5, chunks: 1)
            let script = log.script(cluster.work) + "\nexit 7"
            let run = try cluster.start(script, words: ["limits: { log: 1MiB }"])
            try log.releaseAll(cluster)
            let end = try cluster.finish(run)
            let header = try #require(try cluster.header(of: run, script))
            let attempt = Cluster.attempt(end)
            try #require(end["status"].text == "failed")
            try #require(attempt["exit_code"].int == 7, "\(attempt)")
            try #require(attempt["log"]["bytes"].int == 1 << 20, "\(attempt)")
            try #require(attempt["log"]["dropped_bytes"].int == Int64(header + log.bytes - 1 << 20), "\(attempt)")
            let stored = try cluster.rawLog(run)
            #expect(
                stored.dropFirst(header).elementsEqual(
                    TextFile.bytes(cluster.work + "/tee").prefix(1 << 20 - header)))
        }
    }

    @Test func silentShortAndSudden() async throws {
        try await Cluster.with([.init(isProxied: true)]) { cluster in
            let silent = try cluster.finish(try cluster.start("true", name: "silent"))
            let none = Cluster.attempt(silent)["log"]
            let id = silent["id"].int ?? 0
            let shown = try cluster.rawLog(id)
            #expect(none["state"].text == "complete" && none["bytes"].int == Int64(shown.count), "\(none)")
            #expect(String(decoding: shown, as: UTF8.self).hasPrefix("$ true\n"))

            let short = try cluster.start("printf 'no end of line'", name: "short")
            #expect(try cluster.finish(short)["status"].text == "success")
            #expect(try cluster.rawLog(short).suffix(15) == Array("\nno end of line".utf8)[...])

            // The end is reported while most of the log is still on its way.
            var faults = FaultProxy.Faults()
            faults.toServer.bandwidth = 400_000
            cluster.proxy.faults = faults
            let log = NumberedLog(megabytes: 2, chunks: 1)
            try log.releaseAll(cluster)
            let run = try cluster.start(log.script(cluster.work), name: "sudden")
            try eventually(within: 20, "the step has written all") {
                TextFile.size(cluster.work + "/tee") == log.bytes
            }
            try #require(try cluster.show(run)["phase"].text != "finished")
            let end = try cluster.finish(run)
            try #require(end["status"].text == "success", "\(end)")
            #expect(try cluster.differs(end, from: "tee") == nil)
        }
    }
}
