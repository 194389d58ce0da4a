import Foundation
import TestSupport
import Testing

/// Rows 1, 2 and 10 of the fault matrix: the controller dies, or is away.
@Suite struct ControllerKillTests {
    @Test func killedManyTimesInTheMiddleOfALog() async throws {
        let kills = Binaries.isFull ? 50 : 6
        let log = NumberedLog(megabytes: Binaries.isFull ? 64 : 8, chunks: kills + 1)
        try await Cluster.with { cluster in
            let run = try cluster.start(log.script(cluster.work))
            try cluster.waitLines("mark")
            for kill in 0..<kills {
                try log.release(kill, cluster)
                Clock.pause(Double.random(in: 0...0.3))
                cluster.controller.kill()
                cluster.api.disconnect()
                try cluster.controller.start()
                // Detection does not count here: the connection broke with the process. The rest is dialling and sending.
                try eventually(within: 25, "chunk \(kill) is stored after the restart", pause: 100) {
                    try cluster.logBytes(run) >= log.bytes(after: kill)
                }
            }
            try log.releaseAll(cluster)
            let end = try cluster.finish(run, within: 90)
            try #require(end["status"].text == "success", "\(end)")
            try #require(cluster.lines("mark").count == 1)
            try #require(Int64(TextFile.size(cluster.work + "/tee")) == Int64(log.bytes))
            #expect(try cluster.differs(end, from: "tee") == nil)
        }
    }

    @Test func killedAroundTriggers() async throws {
        let count = Binaries.isFull ? 200 : 24
        let kills = Binaries.isFull ? 20 : 4
        try await Cluster.with([.init(slots: 4)]) { cluster in
            let pipeline = try cluster.createPipeline(
                "p", Cluster.definition("echo start >> \(cluster.work)/run-$ANSFLOW_RUN_ID"))
            let triggers = Triggers(cluster.api.another(), pipeline, count)
            triggers.begin()
            for _ in 0..<kills {
                Clock.pause(Double.random(in: 0.05...0.5))
                cluster.controller.kill()
                try cluster.controller.start()
            }
            let runs = try triggers.wait(within: 60)
            cluster.api.disconnect()
            try #require(Set(runs).count == count, "each key has a run of its own")
            let list = try cluster.api.get("/api/v1/pipeline-runs?per_page=1")
            try #require(list["total"].int == Int64(count), "no run without a key")
            for (index, run) in runs.enumerated() {
                let again = try cluster.api.call(
                    "POST", "/api/v1/pipelines/\(pipeline)/runs", [:], headers: ["Idempotency-Key": "key-\(index)"])
                try #require(again["id"].int == run, "a key gives its run for ever")
                let end = try cluster.finish(run, within: 120)
                try #require(end["status"].text == "success", "\(end)")
                try #require(cluster.lines("run-\(run)").count == 1, "run \(run) was started once")
            }
        }
    }

    @Test(arguments: ["decided", "committed", "answered", "performed"])
    func crashAtAnExactPlace(_ place: String) async throws {
        let counts = Binaries.isFull ? Array(1...12) : [2, 4]
        try await Cluster.with([.init(slots: 4)]) { cluster in
            let pipeline = try cluster.createPipeline(
                "p", Cluster.definition("echo start >> \(cluster.work)/run-$ANSFLOW_RUN_ID"))
            // Runs of its own make the engine commit until the place is reached.
            let filler = try cluster.createPipeline("filler", Cluster.definition("true"))
            var runs: [Int64] = []
            for count in counts {
                cluster.controller.kill()
                cluster.controller.environment = ["ANSFLOW_CRASH_AT": "\(place):\(count)"]
                try cluster.controller.launch()
                let client = cluster.api.another()
                let headers = ["Idempotency-Key": "\(place)-\(count)"]
                var before: Int64?
                try eventually(within: 60, "the controller crashes at \(place):\(count)", pause: 10) {
                    let answer = try? client.request(
                        "POST", "/api/v1/pipelines/\(pipeline)/runs", headers: headers, body: Array("{}".utf8))
                    if let answer, answer.status == 201 { before = try answer.json()["id"].int }
                    _ = try? client.request("POST", "/api/v1/pipelines/\(filler)/runs", body: Array("{}".utf8))
                    return cluster.controller.process?.ended() != nil
                }
                try #require(cluster.controller.process?.ended() == 128 + SIGKILL, "it was the crash point")
                cluster.controller.environment = [:]
                try cluster.controller.start()
                cluster.api.disconnect()
                let run = try cluster.api.call(
                    "POST", "/api/v1/pipelines/\(pipeline)/runs", [:], headers: headers)["id"].int
                try #require(run != nil && (before == nil || before == run), "after a 2xx the run exists")
                runs.append(run ?? 0)
            }
            for run in runs {
                try #require(try cluster.finish(run, within: 60)["status"].text == "success")
                try #require(cluster.lines("run-\(run)").count == 1, "run \(run) was started once")
            }
            let list = try cluster.api.get("/api/v1/pipeline-runs?per_page=1&pipeline_id=\(pipeline)")
            try #require(list["total"].int == Int64(counts.count))
        }
    }

    @Test func downLongerThanAnyWait() async throws {
        try await Cluster.with { cluster in
            let run = try cluster.start(
                """
                echo start >> \(cluster.work)/mark
                while [ ! -e \(cluster.work)/go ]; do sleep 0.05; done
                seq 1 100000 | tee \(cluster.work)/tee
                touch \(cluster.work)/done
                """)
            try cluster.waitLines("mark")
            cluster.controller.kill()
            cluster.api.disconnect()
            try cluster.touch("go")
            try eventually(within: 20, "the step ends by itself") { TextFile.exists(cluster.work + "/done") }
            // The waits that end something are counted by the controller, so its absence must count for nothing.
            Clock.pause(Binaries.isFull ? 900 : 20)
            try cluster.controller.start()
            let end = try cluster.finish(run, within: 60)
            try #require(end["status"].text == "success", "\(end)")
            try #require(Cluster.attempt(end)["number"].int == 1)
            try #require(cluster.lines("mark").count == 1)
            #expect(try cluster.differs(end, from: "tee") == nil)
        }
    }
}

/// Asks for runs, each with a key of its own, and repeats each until it is answered with 2xx.
private final class Triggers: @unchecked Sendable {
    private let api: APIClient
    private let pipeline: Int64
    private let count: Int
    private let lock = NSLock()
    private var runs: [Int64] = []

    init(_ api: APIClient, _ pipeline: Int64, _ count: Int) {
        self.api = api
        self.pipeline = pipeline
        self.count = count
    }

    func begin() {
        let thread = Thread { [self] in
            for index in 0..<count {
                while true {
                    let answer = try? api.call(
                        "POST", "/api/v1/pipelines/\(pipeline)/runs", [:], headers: ["Idempotency-Key": "key-\(index)"])
                    if let id = answer?["id"].int {
                        lock.withLock { runs.append(id) }
                        break
                    }
                    usleep(20_000)
                }
                usleep(50_000)
            }
        }
        thread.start()
    }

    func wait(within seconds: Double) throws -> [Int64] {
        try eventually(within: seconds, "all triggers are answered") {
            let all = lock.withLock { runs }
            return all.count == count ? all : nil
        }
    }
}
