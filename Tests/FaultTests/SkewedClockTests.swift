import Foundation
import TestSupport
import Testing

/// Rows 20 and 21 of the fault matrix: the controller's clock jumps, and an agent's clock is wrong.
@Suite struct SkewedClockTests {
    private static let hasCompiler = (try? ChildProcess.run("/bin/sh", ["-c", "command -v gcc"]).code) == 0

    /// Makes what is preloaded; gives the variables of a process whose clock is to be wrong by so many seconds.
    private static func skew(_ cluster: Cluster, _ seconds: Int) throws -> [String: String] {
        let library = cluster.root + "/skewed.so"
        if !TextFile.exists(library) {
            let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .appendingPathComponent("Fixtures/clock/skewed.c").path
            let made = try ChildProcess.run(
                "/usr/bin/env", ["gcc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"])
            guard made.code == 0 else { throw TestFailure("gcc: \(made.errors)") }
        }
        return ["LD_PRELOAD": library, "ANSFLOW_CLOCK_SHIFT": "\(seconds)"]
    }

    /// What the agent's log says about times is by its own clock: that shows that the preload took.
    private static func isWrong(_ cluster: Cluster, by seconds: Int) throws -> Bool {
        let right = Date().timeIntervalSince1970 * 1000
        let told = try cluster.agentState("a1")["clock_ahead_ms"].int ?? 0
        return right > 0 && abs(told - Int64(seconds) * 1000) < 20_000
    }

    @Test(.enabled(if: hasCompiler, "the clock is turned by a library that gcc makes"), arguments: [3600, -3600])
    func anHourWrongChangesNothingButWhatIsShown(_ seconds: Int) async throws {
        try await Cluster.with { cluster in
            try cluster.agent.terminate()
            cluster.agent.environment = try Self.skew(cluster, seconds)
            try cluster.agent.start()
            try cluster.waitConnected("a1")
            let before = Int64(Date().timeIntervalSince1970 * 1000)
            let run = try cluster.start("echo one; sleep 1; echo two")
            let end = try cluster.finish(run)
            let after = Int64(Date().timeIntervalSince1970 * 1000)
            try #require(end["status"].text == "success", "\(end)")
            // All moments are the controller's, and so in order and within the test's own.
            let attempt = Cluster.attempt(end)
            let moments = ["created_at", "started_at", "finished_at"].compactMap { Self.moment(attempt[$0]) }
            try #require(moments.count == 3, "\(attempt)")
            #expect(
                moments == moments.sorted() && moments[0] >= before - 1000 && moments[2] <= after + 1000, "\(attempt)")
            #expect(moments[2] - moments[1] >= 900 && moments[2] - moments[1] < 15_000, "\(attempt)")
            let wall = attempt["usage"]["wall_ms"].int ?? 0
            #expect(wall >= 900 && wall < 15_000, "\(attempt)")
            // A line's time counts from the step's start, so that no clock is in it.
            let log = try cluster.api.get(cluster.logPath(run, "main/s", "format=json"))
            let times = log["lines"].items.compactMap { $0["t_ms"].int }
            #expect(!times.isEmpty && times.allSatisfy { $0 >= 0 && $0 < 20_000 }, "\(log)")
            // A deadline is neither early nor an hour late.
            let began = Clock.seconds
            let slow = try cluster.start("sleep 600", words: ["timeout: 2s"], name: "slow")
            let late = try cluster.finish(slow)
            #expect(Cluster.attempt(late)["result"].text == "timed_out", "\(late)")
            #expect(Clock.seconds - began > 1.5 && Clock.seconds - began < 30)
            // Heartbeats go on being believed, and the difference is said.
            try eventually(within: 30, "the difference is shown") { try Self.isWrong(cluster, by: seconds) }
            #expect(try cluster.agentState("a1")["connected"].isTrue)
            // An agent can also be enrolled with such a clock.
            let other = cluster.root + "/other"
            let enrolled = try ChildProcess.run(
                Binaries.agent,
                [
                    "enrol", "--controller", "https://127.0.0.1:\(cluster.controller.agentPort)", "--token",
                    try cluster.enrolmentToken(), "--data-dir", other, "--name", "other",
                ], environment: cluster.agent.environment)
            #expect(enrolled.code == 0, "\(enrolled)")
        }
    }

    /// Milliseconds since 1970 of a moment as the API writes it.
    private static func moment(_ value: JSON) -> Int64? {
        if let number = value.int { return number }
        guard let text = value.text else { return nil }
        let format = ISO8601DateFormatter()
        format.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        return format.date(from: text).map { Int64($0.timeIntervalSince1970 * 1000) }
    }

    /// A day forward, back, a day behind and back again, while a run goes on: no deadline fires, none is forgotten, no slot of a schedule
    /// runs twice, and nothing hangs.
    @Test(.enabled(if: hasCompiler, "the clock is turned by a library that gcc makes"))
    func theControllersClockJumps() async throws {
        let clock = ClockFile()
        try await Cluster.with(prepare: { cluster in
            try clock.make(cluster.root + "/clock")
            cluster.controller.environment = try Self.skew(cluster, 0)
            cluster.controller.environment["ANSFLOW_CLOCK_FILE"] = cluster.root + "/clock"
        }) { cluster in
            let nights = try cluster.createPipeline(
                "nights",
                "on: { cron: [{ name: night, at: \"30 2 * * *\", missed: run_once }] }\nsteps: [{ run: 'true' }]\n")
            try eventually(within: 20, "the schedule is known") {
                try !cluster.api.get("/api/v1/pipelines/\(nights)/schedules")["items"].items.isEmpty
            }
            let run = try cluster.start(
                "echo start >> \(cluster.work)/mark; while [ ! -e \(cluster.work)/go ]; do echo a line; sleep 0.1; done",
                words: ["timeout: 10m"])
            try cluster.waitLines("mark")
            // Nobody can take this one: it waits for an agent, a day at most.
            let waits = try cluster.start("true", labels: ["none": "x"], name: "waits")
            var nightRuns: [Int64] = []
            for days in [1, 0, -1, 0, 1, 0] {
                clock.set(seconds: days * 86_400)
                // Two ticks of everything that looks at times.
                Clock.pause(2.5)
                let now = Cluster.attempt(try cluster.show(run))
                try #require(now["phase"].text == "running", "\(days): \(now)")
                try #require(try cluster.show(waits)["phase"].text != "finished", "\(days)")
                #expect(try cluster.agentState("a1")["connected"].isTrue, "\(days)")
                let began = Clock.seconds
                let slow = try cluster.start(
                    "sleep 600", words: ["timeout: 1s"], name: "slow\(nightRuns.count)-\(days)-\(began)")
                let late = try cluster.finish(slow, within: 30)
                #expect(Cluster.attempt(late)["result"].text == "timed_out", "\(late)")
                nightRuns.append(
                    try cluster.api.get("/api/v1/pipeline-runs?per_page=1&pipeline_id=\(nights)")["total"].int ?? -1)
            }
            // The leaps go over two nights, again and again, and each is run once at most.
            #expect((nightRuns.max() ?? 9) <= 2, "\(nightRuns)")
            try cluster.touch("go")
            let end = try cluster.finish(run)
            #expect(end["status"].text == "success" && cluster.lines("mark").count == 1, "\(end)")
            #expect(Cluster.attempt(end)["log"]["state"].text == "complete", "\(end)")
        }
    }

    /// Beyond what certificates forgive, the agent does not get in, says that it may be the clock, and comes back by itself.
    @Test(.enabled(if: hasCompiler, "the clock is turned by a library that gcc makes"), arguments: [400, -400])
    func aYearWrongIsSaidToBeTheClock(_ days: Int) async throws {
        try await Cluster.with { cluster in
            try cluster.agent.terminate()
            try cluster.waitConnected("a1", false)
            cluster.agent.environment = try Self.skew(cluster, days * 86_400)
            let seen = TextFile.size(cluster.agent.log)
            try cluster.agent.start()
            try eventually(within: 30, "the agent names the clock") {
                String(decoding: TextFile.bytes(cluster.agent.log).dropFirst(seen), as: UTF8.self).contains("clock")
            }
            #expect(try !cluster.agentState("a1")["connected"].isTrue)
            let doctor = try ChildProcess.run(
                Binaries.agent, ["doctor", "--data-dir", cluster.agent.dataDirectory],
                environment: cluster.agent.environment)
            #expect(days > 0 || doctor.output.contains("clock"), "\(doctor)")
            try cluster.agent.terminate()
            cluster.agent.environment = [:]
            try cluster.agent.start()
            try cluster.waitConnected("a1")
            let run = try cluster.start("true")
            #expect(try cluster.finish(run)["status"].text == "success")
        }
    }
}

/// The shift that the preloaded library reads at every look at the clock.
private final class ClockFile: @unchecked Sendable {
    private var path = ""

    func make(_ path: String) throws {
        self.path = path
        try Data([UInt8](repeating: 0, count: 8)).write(to: URL(fileURLWithPath: path))
    }

    func set(seconds: Int) {
        let file = open(path, O_WRONLY | O_CLOEXEC)
        defer { close(file) }
        var value = Int64(seconds)
        pwrite(file, &value, 8, 0)
    }
}
