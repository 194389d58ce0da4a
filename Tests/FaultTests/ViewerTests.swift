import Foundation
import TestSupport
import Testing

/// Row 11 of the fault matrix: a viewer that reads 1 KiB a second.
@Suite struct ViewerTests {
    @Test func slowViewerCostsNobodyAnything() async throws {
        let log = NumberedLog(megabytes: Binaries.isFull ? 90 : 16, chunks: 1)
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
            let alone = try measure("alone") { _ in }
            let viewer = SlowViewer()
            defer { viewer.stop() }
            let watched = try measure("watched") { run in
                try viewer.begin(
                    LiveClient(
                        port: cluster.controller.port, path: "/ws/executions/\(run)/?logs=1",
                        token: cluster.api.token ?? "", receiveBuffer: 4096))
            }
            #expect(watched.seconds < alone.seconds * 1.5 + 2, "alone \(alone.seconds) s, watched \(watched.seconds) s")
            #expect(watched.peak - alone.peak < 24 << 20, "alone \(alone.peak), watched \(watched.peak) bytes")
            #expect(viewer.bytes > 0, "the viewer was there")
        }
    }

    /// The same viewer, fast: it misses nothing and gets nothing twice.
    @Test func fastViewerSeesEveryLine() async throws {
        let log = NumberedLog(megabytes: 1, chunks: 2)
        try await Cluster.with { cluster in
            let run = try cluster.start(log.script(cluster.work))
            try log.release(0, cluster)
            try cluster.waitLines("tee", log.linesPerChunk / 2)
            let viewer = try LiveClient(
                port: cluster.controller.port, path: "/ws/executions/\(run)/?logs=1", token: cluster.api.token ?? "")
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
            let total = Int64(log.linesPerChunk * log.chunks)
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

/// Reads 1 KiB a second on a thread of its own.
private final class SlowViewer: @unchecked Sendable {
    private let lock = NSLock()
    private var isStopped = false
    private var count = 0

    func begin(_ client: LiveClient) {
        nonisolated(unsafe) let client = client
        let thread = Thread { [self] in
            while !lock.withLock({ isStopped }), !client.isClosed {
                try? client.readSome(max: 256, within: 250)
                lock.withLock { count = client.bytesRead }
                usleep(250_000)
            }
        }
        thread.start()
    }

    var bytes: Int { lock.withLock { count } }
    func stop() { lock.withLock { isStopped = true } }
}
