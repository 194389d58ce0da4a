import Foundation
import TestSupport
import Testing

/// Row 11 of the fault matrix: a viewer that reads 1 KiB a second.
@Suite struct ViewerTests {
    @Test func slowViewerCostsNobodyAnything() async throws {
        let log = NumberedLog(megabytes: Binaries.isFull ? 90 : 8, chunks: 1)
        try await Cluster.with { cluster in
            func measure(_ name: String, _ watch: (Int64) throws -> Void) throws -> (seconds: Double, peak: Int) {
                for file in ["go0", "mark", "tee"] { unlink("\(cluster.work)/\(file)") }
                let run = try cluster.start(log.script(cluster.work), name: name)
                try cluster.waitLines("mark")
                try watch(run)
                let began = Clock.seconds
                try log.releaseAll(cluster)
                let end = try cluster.finish(run, within: 300)
                let seconds = Clock.seconds - began
                try #require(end["status"].text == "success", "\(end)")
                try #require(try cluster.differs(end, from: "tee") == nil)
                return (seconds, ProcessTable.peakBytes(cluster.controller.process?.pid ?? 0))
            }
            // Lines are made ready for viewers once, however many there are: what is compared is slow with fast.
            func viewed(_ name: String, bytesPerRead: Int, pause: UInt32) throws -> (seconds: Double, peak: Int) {
                let viewer = PacedViewer(bytesPerRead: bytesPerRead, pause: pause)
                defer { viewer.stop() }
                let result = try measure(name) { run in
                    try viewer.begin(
                        LiveClient(
                            port: cluster.controller.port, path: Self.path(run), token: cluster.api.token ?? "",
                            receiveBuffer: pause > 0 ? 4096 : 0))
                }
                try #require(viewer.bytes > 0, "the viewer was there")
                return result
            }
            let fast = try viewed("fast", bytesPerRead: 1 << 20, pause: 0)
            let slow = try viewed("slow", bytesPerRead: 256, pause: 250_000)
            // At that pace the log would take hours. What else the machine does meanwhile is none of this.
            #expect(slow.seconds < fast.seconds * 3 + 10, "fast \(fast.seconds) s, slow \(slow.seconds) s")
            // Twice the queue's bound: the allocator gives little back.
            #expect(slow.peak - fast.peak < 16 << 20, "fast \(fast.peak), slow \(slow.peak) bytes")
        }
    }

    /// A run's topic with its whole log from line 1.
    private static func path(_ run: Int64) -> String {
        "/ws/executions/\(run)/?logs=%7B%22main/s/1%22:1%7D"
    }

    /// The same viewer, fast: it misses nothing and gets nothing twice.
    @Test func fastViewerSeesEveryLine() async throws {
        let log = NumberedLog(megabytes: 1, chunks: 2)
        try await Cluster.with { cluster in
            let run = try cluster.start(log.script(cluster.work))
            try log.release(0, cluster)
            try cluster.waitLines("tee", log.linesPerChunk / 2)
            let viewer = try LiveClient(
                port: cluster.controller.port, path: Self.path(run), token: cluster.api.token ?? "")
            try log.releaseAll(cluster)
            let messages = try viewer.messages(within: 60) { message in
                message["type"].text == "execution_update" && message["data"]["phase"].text == "finished"
            }
            try #require(messages.first?["type"].text == "snapshot", "\(messages.first ?? .null)")
            let states = messages.filter { ["execution_update", "step_update"].contains($0["type"].text) }
            let numbers = states.compactMap { $0["seq"].int }
            let first = messages.first?["seq"].int ?? 0
            #expect(numbers == Array(first + 1..<first + 1 + Int64(numbers.count)), "state events have no hole")
            var seen: [Int64] = []
            for message in messages where message["type"].text == "log_update" {
                for line in message["data"]["lines"].items where !line["partial"].isTrue {
                    seen.append(line["n"].int ?? 0)
                }
            }
            // The last lines may come after the state that says that the run has ended.
            let total = try cluster.api.get(cluster.logPath(run, "main/s", "format=json&lines=1"))["total"].int ?? 0
            #expect(total > Int64(log.linesPerChunk * log.chunks))
            while seen.last != total {
                let more = try viewer.messages(within: 10) { $0["type"].text == "log_update" }
                for line in (more.last ?? .null)["data"]["lines"].items where !line["partial"].isTrue {
                    seen.append(line["n"].int ?? 0)
                }
            }
            #expect(seen == Array(1...total), "\(seen.count) lines, \(Set(seen).count) different, of \(total)")
        }
    }
}

/// Reads so many bytes between two pauses, on a thread of its own.
private final class PacedViewer: @unchecked Sendable {
    private let bytesPerRead: Int
    private let pause: UInt32
    private let lock = NSLock()
    private var isStopped = false
    private var count = 0

    init(bytesPerRead: Int, pause: UInt32) {
        self.bytesPerRead = bytesPerRead
        self.pause = pause
    }

    func begin(_ client: LiveClient) {
        nonisolated(unsafe) let client = client
        let thread = Thread { [self] in
            while !lock.withLock({ isStopped }), !client.isClosed {
                try? client.readSome(max: bytesPerRead, within: 250)
                client.forget()
                lock.withLock { count = client.bytesRead }
                if pause > 0 { usleep(pause) }
            }
        }
        thread.start()
    }

    var bytes: Int { lock.withLock { count } }
    func stop() { lock.withLock { isStopped = true } }
}
