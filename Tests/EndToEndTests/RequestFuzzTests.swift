import Dispatch
import Foundation
import Synchronization
import TestSupport
import Testing

/// Requests and WebSocket messages that are valid ones with something changed: the controller answers each or closes, never with a 5xx
/// of its own making, lives, and does not grow.
@Suite struct RequestFuzzTests {
    /// 100,000 in the long form. `ANSFLOW_SEED` repeats one.
    private static let count = Binaries.isFull ? 100_000 : 4000
    private static let senders = Binaries.isFull ? 64 : 4

    @Test func mutatedRequestsAndMessages() async throws {
        try await Cluster.with([]) { cluster in
            print("fuzz seed \(FuzzRandom.seed)")
            _ = try cluster.api.call(
                "POST", "/api/v1/pipelines",
                ["name": "fuzz", "definition": "jobs:\n  a:\n    steps:\n      - run: make\n"])
            let pid = try #require(cluster.controller.process?.pid)
            let token = cluster.api.token ?? ""
            let tally = Tally()
            let port = cluster.controller.port
            // What was cut off or promises a longer body is not answered before the controller's own deadline: that is most of the time, so
            // many wait at once, and none for long.
            let end = ContinuousClock.now + (Binaries.isFull ? .seconds(3600) : .seconds(60))
            let senders = DispatchGroup()
            for sender in 0..<Self.senders {
                senders.enter()
                let thread = Thread {
                    var random = FuzzRandom(seed: FuzzRandom.seed &+ UInt64(sender))
                    while tally.state.withLock({ $0.sent }) < Self.count, ContinuousClock.now < end {
                        guard Self.converse(port, token, &random, tally) else { break }
                    }
                    senders.leave()
                }
                thread.start()
            }
            senders.wait()
            let (sent, statuses, faults) = tally.state.withLock { ($0.sent, $0.statuses, $0.faults) }
            #expect(sent >= Self.count || !Binaries.isFull, "\(sent) requests in an hour")
            #expect(ProcessTable.isAlive(pid))
            #expect(faults.isEmpty, "\(faults.count): \(faults.first ?? "")")
            var random = FuzzRandom(seed: FuzzRandom.seed)
            try Self.messages(cluster, token, &random)
            #expect(try cluster.api.request("GET", "/health/live").status == 200)
            let resident = ProcessTable.residentBytes(pid)
            print("\(sent) requests, \(resident >> 20) MiB: \(statuses.sorted { $0.key < $1.key })")
            #expect(resident < 500 << 20, "\(resident >> 20) MiB")
            // The mutation must leave some requests whole and break others, or nothing was tried.
            #expect((statuses[200] ?? 0) > sent / 200, "\(statuses) of \(sent)")
            #expect((statuses[400] ?? 0) > sent / 200, "\(statuses) of \(sent)")
        }
    }

    private final class Tally: Sendable {
        struct State {
            var sent = 0
            var statuses: [Int: Int] = [:]
            var faults: [String] = []
        }
        let state = Mutex(State())
    }

    /// Several requests to a connection, as long as it stays open.
    ///
    /// - Returns: Whether one could be opened.
    private static func converse(
        _ port: Int, _ token: String, _ random: inout FuzzRandom, _ tally: Tally
    ) -> Bool {
        let wire: RawConnection
        do {
            wire = try RawConnection(port: port, timeout: Binaries.isFull ? 3 : 1)
        } catch {
            tally.state.withLock { $0.faults.append("no connection: \(error)") }
            return false
        }
        for _ in 0..<20 {
            let request = RequestMutation.make(token: token, &random)
            tally.state.withLock { $0.sent += 1 }
            guard wire.send(request.bytes) else { break }
            if request.isCut { wire.finish() }
            guard let status = wire.answer() else { break }
            tally.state.withLock {
                $0.statuses[status, default: 0] += 1
                // 503 is said in so many words; everything else from 500 on is a fault.
                if status >= 500, status != 503, $0.faults.count < 20 {
                    $0.faults.append("\(status): \(String(decoding: request.bytes.prefix(2000), as: UTF8.self))")
                }
            }
            if request.isCut { break }
        }
        return true
    }

    private static func messages(_ cluster: Cluster, _ token: String, _ random: inout FuzzRandom) throws {
        let valid = [
            #"{"type":"subscribe","topic":"run:1","after":0}"#, #"{"type":"subscribe","topic":"system"}"#,
            #"{"type":"unsubscribe","topic":"run:1"}"#, #"{"type":"ping"}"#,
            #"{"type":"subscribe","topic":"pipeline:1","logs":{"a/b/1":1}}"#,
        ]
        for _ in 0..<(count / 40) {
            let wire = try RawConnection(port: cluster.controller.port, timeout: 5)
            wire.send(
                "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                    + "Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\r\nAuthorization: Bearer \(token)\r\n\r\n")
            guard String(decoding: wire.read(), as: UTF8.self).hasPrefix("HTTP/1.1 101") else { continue }
            for _ in 0..<10 {
                let text = RequestMutation.bytes(Array(valid[random.below(valid.count)].utf8), &random)
                let mask: [UInt8] = [9, 8, 7, 6]
                var frame: [UInt8] = [random.below(20) == 0 ? UInt8(random.below(256)) : 0x81]
                if text.count < 126 {
                    frame.append(0x80 | UInt8(text.count))
                } else {
                    frame += [0xFE, UInt8(text.count >> 8 & 255), UInt8(text.count & 255)]
                }
                frame += mask + text.enumerated().map { $0.element ^ mask[$0.offset % 4] }
                guard wire.send(frame) else { break }
            }
        }
    }
}
