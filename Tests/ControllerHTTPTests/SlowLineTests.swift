import ControllerCore
import ControllerRealtime
import Foundation
import TestSupport
import Testing

@testable import ControllerHTTP

/// Journey 13: a viewer over a slow line of a log that grows quickly.
@Suite struct SlowLineTests {
    /// Counted in bytes, since the line's speed is the reader's: what is said now comes within a second of what was said before.
    @Test func statesAreNotLateBehindLines() async throws {
        try await withServer { world, hub, client in
            world.addRun(1)
            let port = client.port
            let writer = Task {
                var number = 0
                while true {
                    world.append((0..<100).map { "line \(number + $0) " + String(repeating: "x", count: 80) }, to: 10)
                    number += 100
                    // How quickly it is written: nothing is waited for.
                    try await Task.sleep(for: .milliseconds(10))
                }
            }
            defer { writer.cancel() }
            try await BlockingTask.run {
                let viewer = try TestSupport.LiveClient(
                    port: port, path: "/ws/executions/1?logs=%7B%22build/compile/1%22:1%7D", token: "admin-token",
                    receiveBuffer: 32 * 1024)
                var next: Int64?
                var lines = 0
                var lagged = 0
                /// Where the reader stood when an event was published, by its number.
                var published: [Int64: Int] = [:]
                var ahead: [Int] = []
                let end = Clock.seconds + 14
                var due = Clock.seconds + 6
                // About 50 KB a second, while ten times that is written.
                while Clock.seconds < end {
                    if Clock.seconds > due {
                        due += 1
                        published[Int64(published.count + 1)] = viewer.bytesRead
                        hub.publish([world.commit(1)])
                    }
                    try viewer.readSome(max: 2500, within: 100)
                    Clock.pause(0.05)
                    while let message = try viewer.next() {
                        switch message["type"].text {
                        case "log_update":
                            let first = message["data"]["first_line"].int
                            #expect(next == nil || first == next, "every line once, in order")
                            let last = message["data"]["lines"].items.last
                            if let number = last?["n"].int {
                                next = last?["partial"].isTrue == true ? number : number + 1
                            }
                            lines += message["data"]["lines"].items.count
                        case "lagged":
                            lagged += 1
                            let log = message["data"]["logs"].items.first
                            #expect(log?["from_line"].int == next, "it says what it left out")
                            next = log?["next_line"].int
                        case "execution_update":
                            let seq = try #require(message["seq"].int)
                            ahead.append(viewer.bytesRead - (try #require(published[seq])))
                        default: break
                        }
                    }
                }
                #expect(lagged > 0 && lines > 1000, "\(lines) lines, \(lagged) times left behind")
                #expect(ahead.count >= published.count - 1)
                #expect((ahead.max() ?? .max) < 75_000, "bytes that came before each event: \(ahead)")
            }
        }
    }
}
