import Foundation
import TestSupport
import Testing

/// Very many viewers of one log, some of them asleep, and viewers over a controller's death.
@Suite struct CrowdTests {
    private static func path(_ run: Int64, from line: Int = 1, _ more: String = "") -> String {
        "/ws/executions/\(run)/?logs=%7B%22main/s/1%22:\(line)%7D\(more)"
    }

    /// Writes a numbered line each ten milliseconds, or a little later.
    private static func paced(_ work: String, _ count: Int) -> String {
        """
        while [ ! -e \(work)/go ]; do sleep 0.05; done
        i=0
        while [ $i -lt \(count) ]; do i=$((i + 1)); printf '@%012d of a long numbered log\\n' $i; sleep 0.01; done
        """
    }

    @Test func whoSleepsCostsTheOthersNothing() async throws {
        let viewers = Binaries.isFull ? 1_000 : 100
        let lines = Binaries.isFull ? 3_000 : 400
        let flood = NumberedLog(megabytes: 12, chunks: 1)
        try await Cluster.with { cluster in
            let token = cluster.api.token ?? ""
            let watched = try cluster.start(Self.paced(cluster.work, lines), name: "watched")
            let loud = try cluster.start(flood.script(cluster.work), name: "loud")
            try cluster.waitPhase(watched, "running")
            try cluster.waitLines("mark")
            let empty = cluster.controller.process?.residentBytes ?? 0
            let crowd = try (0..<viewers).map { _ in
                try CrowdViewer(port: cluster.controller.port, path: Self.path(watched), token: token)
            }
            // One sleeps through the same log, one through a log that is longer than all that may wait for it.
            let sleepers = try [watched, loud].map {
                try CrowdViewer(port: cluster.controller.port, path: Self.path($0), token: token, receiveBuffer: 4096)
            }
            try cluster.touch("go")
            try flood.releaseAll(cluster)
            let end = Clock.seconds + Double(lines) * 0.03 + 60
            var peak = 0
            while crowd.contains(where: { $0.next <= lines }), Clock.seconds < end {
                CrowdViewer.turn(crowd)
                peak = max(peak, cluster.controller.process?.residentBytes ?? 0)
            }
            let late = crowd.filter { $0.next <= lines }
            #expect(
                late.isEmpty, "\(late.count) of \(viewers) lack lines; the first stands at \(late.first?.next ?? 0)")
            let wrong = crowd.compactMap(\.fault)
            #expect(wrong.isEmpty, "\(wrong.count): \(wrong.first ?? "")")
            #expect(try cluster.finish(watched)["status"].text == "success")
            #expect(try cluster.finish(loud, within: 120)["status"].text == "success")
            // What waits for a viewer is 256 KiB at most; a connection and its topics cost less than 100.
            let bound = (viewers * 100 + 2 * 1024 + 64 * 1024) * 1024
            #expect(peak - empty < bound, "\((peak - empty) >> 20) MiB more for \(viewers) viewers")
            // Whoever wakes up is told what was left out, or that the connection has ended.
            let sleeper = sleepers[1]
            sleeper.looksForLag = true
            let wakes = Clock.seconds + 30
            while !sleeper.isOver, !sleeper.hasLagged, Clock.seconds < wakes { CrowdViewer.turn([sleeper]) }
            #expect(sleeper.isOver || sleeper.hasLagged)
        }
    }

    @Test func viewersGoOnOverAControllersDeath() async throws {
        let lines = Binaries.isFull ? 4_000 : 700
        try await Cluster.with { cluster in
            let run = try cluster.start(Self.paced(cluster.work, lines))
            try cluster.waitPhase(run, "running")
            let token = cluster.api.token ?? ""
            let viewers = (0..<(Binaries.isFull ? 30 : 6)).map { _ in
                ResumingViewer(port: cluster.controller.port, run: run, token: token)
            }
            defer { for viewer in viewers { viewer.stop() } }
            for viewer in viewers { viewer.begin() }
            try eventually(within: 20, "all see the run") { viewers.allSatisfy { $0.seq > 0 } }
            try cluster.touch("go")
            for kill in 1...(Binaries.isFull ? 8 : 2) {
                try eventually(within: 60, "all see lines") {
                    viewers.allSatisfy { $0.lines > kill * (Binaries.isFull ? 300 : 120) }
                }
                Clock.pause(Double.random(in: 0...0.3))
                cluster.controller.kill()
                cluster.api.disconnect()
                try cluster.controller.start()
            }
            #expect(try cluster.finish(run, within: 120)["status"].text == "success")
            try eventually(within: 30, "all have seen the end; \(viewers.map(\.standing))", pause: 100) {
                viewers.allSatisfy { $0.hasEnded && $0.lines >= lines }
            }
            for viewer in viewers {
                #expect(viewer.faults.isEmpty, "\(viewer.faults.prefix(3))")
                #expect(viewer.connections > 1)
            }
        }
    }
}

/// A viewer that only counts: it looks for numbered lines in what it gets, in order and without a hole.
private final class CrowdViewer {
    private let socket: Int32
    private var rest: [UInt8] = []
    /// What may be the beginning of a ping.
    private var pings: [UInt8] = []
    private var spoke = Clock.seconds
    /// The number of the line that must come next.
    private(set) var next = 1
    private(set) var fault: String?
    private(set) var isOver = false
    private(set) var hasLagged = false
    var looksForLag = false
    /// `@`
    private static let mark: Int32 = 64
    private static let digits = 12

    init(port: Int, path: String, token: String, receiveBuffer: Int32 = 0) throws {
        socket = try Sockets.connect(port: port, receiveBuffer: receiveBuffer)
        let head =
            "GET \(path) HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            + "Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\r\nAuthorization: Bearer \(token)\r\n\r\n"
        try Sockets.write(socket, Array(head.utf8))
        let answer = try Sockets.read(socket, max: 1024)
        guard answer.starts(with: Array("HTTP/1.1 101".utf8)) else {
            throw TestFailure("No WebSocket: \(String(decoding: answer, as: UTF8.self))")
        }
        take(answer)
    }

    deinit { close(socket) }

    /// Waits until some have something, and takes it.
    static func turn(_ viewers: [CrowdViewer]) {
        var interest = viewers.map { pollfd(fd: $0.isOver ? -1 : $0.socket, events: Int16(POLLIN), revents: 0) }
        guard poll(&interest, nfds_t(interest.count), 100) > 0 else { return }
        for (index, entry) in interest.enumerated() where entry.revents != 0 { viewers[index].read() }
    }

    private func read() {
        guard let bytes = try? Sockets.read(socket), !bytes.isEmpty else {
            if next > 1 || fault == nil { isOver = true }
            return
        }
        take(bytes)
        // Any word of its own shows that it lives.
        guard Clock.seconds > spoke + 8 else { return }
        spoke = Clock.seconds
        try? Sockets.write(socket, [0x8A, 0x80, 0, 0, 0, 0])
    }

    /// Answers the pings of 8 bytes among what came: no byte of an ASCII log looks like their beginning.
    private func answerPings(_ bytes: [UInt8]) {
        pings += bytes
        while let start = pings.firstIndex(of: 0x89) {
            guard pings.count >= start + 10 else {
                pings.removeFirst(start)
                return
            }
            if pings[start + 1] == 8 {
                try? Sockets.write(socket, [0x8A, 0x88, 0, 0, 0, 0] + pings[(start + 2)..<(start + 10)])
            }
            pings.removeFirst(start + 1)
        }
        pings = []
    }

    private func take(_ bytes: [UInt8]) {
        answerPings(bytes)
        rest += bytes
        if looksForLag, rest.firstRange(of: Array("\"lagged\"".utf8)) != nil { hasLagged = true }
        var place = 0
        rest.withUnsafeBytes { raw in
            while true {
                guard let found = memchr(raw.baseAddress! + place, Self.mark, raw.count - place) else {
                    place = raw.count
                    break
                }
                let at = raw.baseAddress!.distance(to: UnsafeRawPointer(found))
                guard at + 1 + Self.digits <= raw.count else {
                    place = at
                    break
                }
                count(raw, at + 1)
                place = at + 1
            }
        }
        rest.removeFirst(place)
    }

    private func count(_ raw: UnsafeRawBufferPointer, _ at: Int) {
        var number = 0
        for offset in 0..<Self.digits {
            let digit = raw[at + offset]
            guard digit >= 48, digit <= 57 else { return }
            number = number * 10 + Int(digit - 48)
        }
        // The last line may have come before, unfinished.
        guard number != next - 1 else { return }
        if number != next, fault == nil { fault = "line \(number) came where \(next) should" }
        next = number + 1
    }
}

/// A viewer on a thread of its own that connects again and goes on where it was.
private final class ResumingViewer: @unchecked Sendable {
    private let port: Int
    private let run: Int64
    private let token: String
    private let lock = NSLock()
    private var isStopped = false
    private var state = (seq: Int64(0), generation: Int64(0), line: 0, ended: false, connections: 0)
    private var problems: [String] = []

    init(port: Int, run: Int64, token: String) {
        self.port = port
        self.run = run
        self.token = token
    }

    var seq: Int64 { lock.withLock { state.seq } }
    /// Of the step's own, those that were seen whole.
    var lines: Int { lock.withLock { own } }
    var hasEnded: Bool { lock.withLock { state.ended } }
    var connections: Int { lock.withLock { state.connections } }
    var faults: [String] { lock.withLock { problems } }
    var standing: String { lock.withLock { "\(state), \(own) lines" } }
    private var own = 0

    func stop() { lock.withLock { isStopped = true } }

    func begin() {
        let thread = Thread { [self] in
            while !lock.withLock({ isStopped }) {
                watch()
                Clock.pause(0.05)
            }
        }
        thread.start()
    }

    private func watch() {
        let now = lock.withLock { state }
        var path = "/ws/executions/\(run)/?logs=%7B%22main/s/1%22:\(now.line + 1)%7D"
        if now.connections > 0 { path += "&after=\(now.seq)&generation=\(now.generation)" }
        guard let client = try? LiveClient(port: port, path: path, token: token) else { return }
        lock.withLock { state.connections += 1 }
        while !client.isClosed, !lock.withLock({ isStopped }) {
            try? client.readSome(max: 64 * 1024, within: 100)
            while let message = try? client.next() { lock.withLock { take(message) } }
        }
    }

    private func take(_ message: JSON) {
        switch message["type"].text {
        case "snapshot":
            if state.generation != 0 { problems.append("a snapshot came for a cursor that was good: \(message)") }
            state.seq = message["seq"].int ?? 0
            state.generation = message["data"]["generation"].int ?? 0
        case "execution_update", "step_update":
            let seq = message["seq"].int ?? 0
            if seq != state.seq + 1 { problems.append("event \(seq) came behind \(state.seq)") }
            state.seq = seq
            if message["data"]["phase"].text == "finished", message["data"]["job"] == .null,
                message["type"].text == "execution_update"
            {
                state.ended = true
            }
        case "log_update":
            for line in message["data"]["lines"].items where !line["partial"].isTrue { take(line: line) }
        case "lagged": problems.append("it lagged: \(message)")
        default: break
        }
    }

    private func take(line: JSON) {
        let number = Int(line["n"].int ?? 0)
        if number != state.line + 1 { problems.append("line \(number) came behind \(state.line)") }
        state.line = number
        guard let text = line["text"].text, text.hasPrefix("@0") else { return }
        own += 1
        if !text.hasPrefix("@" + String(repeating: "0", count: 12 - "\(own)".count) + "\(own) ") {
            problems.append("line \(number) is \(text), not number \(own)")
        }
    }
}
