import AnsFlowProtocol
import AnsFlowTransport
import ControllerCore
import ControllerRealtime
import Foundation
import NIOCore
import Synchronization
import Testing

@testable import ControllerHTTP

@Suite struct LiveTests {
    private func seq(_ message: [String: Any]) -> Int { message["seq"] as? Int ?? -1 }
    private func type(_ message: [String: Any]) -> String { message["type"] as? String ?? "" }
    private func data(_ message: [String: Any]) -> [String: Any] { message["data"] as? [String: Any] ?? [:] }

    @Test func aViewerGetsASnapshotAndThenEveryEventWhileOthersPublish() async throws {
        try await withServer { world, hub, client in
            world.addRun(1)
            let total = 300
            let publisher = Task {
                for _ in 0..<total {
                    hub.publish([world.commit(1)])
                    await Task.yield()
                }
            }
            for slash in ["", "/"] {
                let live = try await LiveClient.open(client, "/ws/executions/1\(slash)")
                let snapshot = try await live.message("the snapshot")
                #expect(type(snapshot) == "snapshot")
                #expect(data(snapshot)["generation"] as? Int == 3)
                #expect((data(snapshot)["run"] as? [String: Any])?["seq"] as? Int == seq(snapshot))
                var last = seq(snapshot)
                while last < total {
                    let message = try await live.message("event \(last + 1)")
                    #expect(seq(message) == last + 1)
                    #expect(data(message)["execution_id"] as? Int == 1)
                    last += 1
                }
                live.wire.close()
            }
            await publisher.value
        }
    }

    @Test func aViewerGoesOnFromWhereItWas() async throws {
        try await withServer { world, hub, client in
            world.addRun(1)
            for _ in 0..<1200 { hub.publish([world.commit(1)]) }
            let live = try await LiveClient.open(client, "/ws/executions/1?after=100&logs=0")
            for expected in 101...1200 {
                let message = try await live.message("event \(expected)")
                guard type(message) == "execution_update", seq(message) == expected else {
                    Issue.record("expected \(expected), got \(message)")
                    return
                }
            }
            hub.publish([world.commit(1)])
            #expect(seq(try await live.message()) == 1201)
            let other = try await LiveClient.open(client, "/ws/executions/1?after=100&generation=2")
            #expect(type(try await other.message()) == "snapshot")
        }
    }

    @Test func manyTopicsOnOneConnection() async throws {
        try await withServer { world, hub, client in
            world.addRun(1)
            world.addRun(2)
            let live = try await LiveClient.open(client, "/ws")
            live.say(#"{"type":"ping"}"#)
            #expect(type(try await live.message()) == "pong")
            live.say(#"{"type":"subscribe","topic":"pipeline:1"}"#)
            #expect(data(try await live.message())["topic"] as? String == "pipeline:1")
            hub.publish([world.commit(1), world.commit(2)])
            #expect(seq(try await live.message()) == 1)
            #expect(data(try await live.message())["execution_id"] as? Int == 2)
            live.say(#"{"type":"unsubscribe","topic":"pipeline:1"}"#)
            live.say(#"{"type":"subscribe","topic":"run:9"}"#)
            #expect(type(try await live.message()) == "error")
            live.say(#"{"type":"subscribe","topic":"nonsense"}"#)
            #expect(type(try await live.message()) == "error")
            live.say("not json")
            #expect(type(try await live.message()) == "error")
        }
    }

    @Test func logLinesComeOnceFromTheLineAskedFor() async throws {
        try await withServer { world, hub, client in
            world.addRun(1)
            world.append((1...2500).map { "l\($0)" }, to: 10)
            let logs = #"%7B%22build/compile/1%22:2000%7D"#
            let live = try await LiveClient.open(client, "/ws/executions/1?logs=\(logs)")
            let writer = Task {
                for number in 2501...3000 {
                    world.append(["l\(number)"], to: 10)
                    await Task.yield()
                }
            }
            #expect(type(try await live.message()) == "snapshot")
            var next = 2000
            while next <= 3000 {
                let message = try await live.message("line \(next)")
                #expect(type(message) == "log_update")
                #expect(data(message)["step"] as? String == "build/compile")
                #expect(data(message)["first_line"] as? Int == next)
                for line in try #require(data(message)["lines"] as? [[String: Any]]) {
                    guard line["n"] as? Int == next else {
                        Issue.record("expected line \(next), got \(line)")
                        return
                    }
                    next += 1
                }
            }
            await writer.value
            // A new attempt is followed from its first line.
            world.append(["first"], to: 11)
            world.addAttempt(11, run: 1, step: 1, number: 1)
            hub.publish([world.commit(1, kind: .step)])
            #expect(type(try await live.message()) == "step_update")
            let fresh = try await live.message("the new attempt's log")
            #expect(data(fresh)["step"] as? String == "build/test")
            #expect(data(fresh)["first_line"] as? Int == 1)
            #expect(seq(fresh) == 1)
        }
    }

    @Test func aSlowViewerGetsOneLaggedMessageAndCostsOthersNothing() async throws {
        try await withServer { world, hub, client in
            world.addRun(1)
            let slow = try await LiveClient.open(client, "/ws/executions/1")
            let quick = try await LiveClient.open(client, "/ws/executions/1")
            #expect(type(try await slow.message()) == "snapshot")
            #expect(type(try await quick.message()) == "snapshot")
            hub.publish([world.commit(1)])
            #expect(seq(try await slow.message()) == 1)
            try await slow.wire.receive(false)
            let filler = String(repeating: "x", count: 100_000)
            let rounds = 200
            for round in 0..<rounds {
                var row = world.commit(1)
                row.data = Array("{\"execution_id\":1,\"message\":\"\(filler)\"}".utf8)
                hub.publish([row])
                if round == 0 { #expect(seq(try await quick.message()) == 1) }
                #expect(seq(try await quick.message("event \(round + 2)")) == round + 2)
            }
            try await slow.wire.receive(true)
            hub.publish([world.commit(1)])
            // Every gap is announced by one message that says exactly what it was.
            var last = 1
            var lagged = 0
            while last < rounds + 2 {
                let message = try await slow.message("what comes after \(last)")
                guard type(message) == "lagged" else {
                    #expect(seq(message) == last + 1)
                    last = seq(message)
                    continue
                }
                lagged += 1
                let topic = try #require((data(message)["topics"] as? [[String: Any]])?.first)
                #expect(topic["after"] as? Int == last)
                #expect(topic["fetch"] as? String == "/api/v1/pipeline-runs/1/events?after=\(last)")
                last = try #require(topic["until"] as? Int)
            }
            #expect(lagged >= 1 && lagged < rounds / 4)
        }
    }

    @Test func originsTicketsAndTokensAreChecked() async throws {
        try await withServer(change: { $0.publicURL = "https://ci.example.org/base" }) { world, _, client in
            world.addRun(1)
            func status(
                _ target: String, token: String? = "admin-token", origin: String? = nil
            ) async throws -> Int {
                let headers = origin.map { [("Origin", $0)] } ?? []
                let wire = try await client.connect()
                defer { wire.close() }
                wire.send(Array(LiveClient.request(target, port: client.port, token: token, headers: headers).utf8))
                return try await wire.until("a status") { bytes -> Int? in
                    bytes.count > 12 ? Int(String(decoding: bytes[9..<12], as: UTF8.self)) : nil
                }
            }
            let path = "/ws/executions/1"
            #expect(try await status(path) == 101)
            #expect(try await status(path, token: nil) == 401)
            #expect(try await status(path, token: "wrong") == 401)
            #expect(try await status("/ws/executions/9") == 404)
            #expect(try await status("/ws/nothing") == 404)
            #expect(try await status(path + "?odd=1") == 400)
            for origin in [
                "https://evil.example.org", "null", "https://ci.example.org.evil.org", "https://ci.example.or",
            ] {
                #expect(try await status(path, origin: origin) == 403, "\(origin)")
            }
            #expect(try await status(path, origin: "https://ci.example.org") == 101)
            #expect(try await status(path, origin: "http://127.0.0.1:\(client.port)") == 101)
            let ticket = try await client.send("POST", "/api/v1/ws-tickets", body: "{}").json()["ticket"] as? String
            let with = path + "?token=\(try #require(ticket))"
            #expect(try await status(with, token: nil) == 101)
            #expect(try await status(with, token: nil) == 401)
            #expect(try await client.get(path).status == 426)
            #expect(try await client.send("GET", path, token: nil).status == 401)
        }
    }

    @Test func aRefusedUpgradeSaysWhyAsAProblem() async throws {
        try await withServer { _, _, client in
            let request = LiveClient.request("/ws/executions/9", port: client.port)
                .replacing("Connection: Upgrade", with: "Connection: Upgrade, close")
            let answer = try await client.raw(request)
            #expect(answer.status == 404)
            #expect(answer.headers["content-type"] == "application/problem+json")
        }
    }

    @Test func aLoginThatEndsClosesItsSockets() async throws {
        try await withServer(change: { $0.webSocketRecheck = .milliseconds(50) }) { world, _, client in
            world.addRun(1)
            let live = try await LiveClient.open(client, "/ws/executions/1", token: "leaving-token")
            #expect(type(try await live.message()) == "snapshot")
            world.state.withLock { _ = $0.valid.remove("leaving-token") }
            let close = try await live.frame("the close")
            #expect(close.opcode == .close)
            #expect(close.payload.prefix(2) == [3, 240])
        }
    }

    @Test func aSilentViewerIsPingedAndClosed() async throws {
        try await withServer(change: {
            $0.webSocketPing = .milliseconds(50)
            $0.webSocketSilence = .milliseconds(300)
        }) { _, _, client in
            let live = try await LiveClient.open(client, "/ws")
            #expect(try await live.frame("a ping").opcode == .ping)
            _ = try await live.wire.untilClosed()
        }
    }

    @Test func badFramesCloseTheirOwnConnectionOnly() async throws {
        try await withServer { _, _, client in
            let good = try await LiveClient.open(client, "/ws")
            let attacks: [[UInt8]] = [
                [0x81, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0],
                [0x81, 0x02, 0x7B, 0x7D],
                [0xF1, 0x80, 0, 0, 0, 0],
                Array([[UInt8]](repeating: [0x89, 0x80, 0, 0, 0, 0], count: 400).joined()),
            ]
            for attack in attacks {
                let bad = try await LiveClient.open(client, "/ws")
                bad.wire.send(attack)
                _ = try await bad.wire.untilClosed()
            }
            good.say(#"{"type":"ping"}"#)
            #expect(type(try await good.message()) == "pong")
        }
    }
}
