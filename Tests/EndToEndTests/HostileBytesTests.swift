import TestSupport
import Testing

/// Bytes that no honest client sends, against a real controller: rows 1, 29 and 30 of the security list.
@Suite struct HostileBytesTests {
    /// Lives, answers, and has not grown beyond a bound.
    private static func check(_ cluster: Cluster, _ what: String, limitBytes: Int = 400 << 20) throws {
        #expect(try cluster.api.request("GET", "/health/live").status == 200, "after \(what)")
        let pid = try #require(cluster.controller.process?.pid)
        #expect(ProcessTable.isAlive(pid), "after \(what)")
        // A debug build is several times as large as a release one.
        let resident = ProcessTable.residentBytes(pid)
        #expect(resident < limitBytes, "\(what): \(resident >> 20) MiB")
    }

    /// A request that could be read as two is refused, and nothing of what stands behind it is answered.
    @Test func requestsThatCouldBeReadTwoWays() async throws {
        try await Cluster.with([]) { cluster in
            let port = cluster.controller.port
            let inner = "GET /api/v1/status HTTP/1.1\r\nHost: x\r\n\r\n"
            let heads = [
                "Content-Length: 5\r\nContent-Length: 6\r\n", "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
                "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "Transfer-Encoding: chunked, identity\r\n",
                "Transfer-Encoding: xchunked\r\nTransfer-Encoding: chunked, x\r\n", "Content-Length: +5\r\n",
                "Content-Length: -1\r\n", "Content-Length: 5, 5\r\n", "Content-Length: 0x5\r\n",
                "Content-Length: 99999999999999999999\r\n", "X: a\r\n b\r\nContent-Length: 5\r\nContent-Length: 7\r\n",
                "Content-Length : 5\r\n", "Transfer-Encoding : chunked\r\n", "X: a\u{0}b\r\n", ": empty\r\n",
                "Bad Name: 1\r\n",
            ]
            for head in heads {
                let wire = try RawConnection(port: port)
                wire.send(
                    "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\(head)\r\n0\r\n\r\n\(inner)"
                )
                wire.finish()
                let text = String(decoding: wire.readAll(), as: UTF8.self)
                #expect(!text.contains("\"healthy\""), "\(head) let a second request through: \(text)")
                #expect(!text.contains("HTTP/1.1 2"), "\(head)")
            }
            try Self.check(cluster, "ambiguous heads")
        }
    }

    @Test func aBodyThatEndsEarlyIsTheSendersFault() async throws {
        try await Cluster.with([]) { cluster in
            let wire = try RawConnection(port: cluster.controller.port)
            wire.send(
                "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 23\r\n\r\n{\"user"
            )
            wire.finish()
            #expect(wire.answer() == 400)
        }
    }

    @Test func whatIsTooMuch() async throws {
        try await Cluster.with([]) { cluster in
            let port = cluster.controller.port
            // Half a million headers: refused long before they are there.
            let many = try RawConnection(port: port)
            many.send("GET / HTTP/1.1\r\nHost: x\r\n")
            let block = Array(String(repeating: "a: b\r\n", count: 5000).utf8)
            for _ in 0..<100 where many.send(block) {}
            many.finish()
            let answer = String(decoding: many.readAll(), as: UTF8.self)
            #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 431") || answer.hasPrefix("HTTP/1.1 400"), "\(answer)")
            // A body that would unfold to 100 MB.
            let bomb = try RawConnection(port: port)
            let body = [UInt8](repeating: 0x1F, count: 100)
            bomb.send(
                "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
                    + "Content-Length: \(body.count)\r\n\r\n")
            bomb.send(body)
            #expect(bomb.answer() == 415)
            // A body without an end, in pieces.
            let endless = try RawConnection(port: port)
            endless.send(
                "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
            let piece = Array("10000\r\n".utf8) + [UInt8](repeating: 0x20, count: 65_536) + Array("\r\n".utf8)
            for _ in 0..<1000 where endless.send(piece) {}
            endless.finish()
            let refused = String(decoding: endless.readAll(), as: UTF8.self)
            #expect(refused.isEmpty || refused.hasPrefix("HTTP/1.1 413"), "\(refused)")
            try Self.check(cluster, "too much")
        }
    }

    @Test func framesThatNoViewerSends() async throws {
        try await Cluster.with([]) { cluster in
            let port = cluster.controller.port
            func open() throws -> RawConnection {
                let wire = try RawConnection(port: port)
                wire.send(
                    "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                        + "Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\r\nAuthorization: Bearer \(cluster.api.token ?? "")\r\n\r\n"
                )
                let head = String(decoding: wire.read(), as: UTF8.self)
                try #require(head.hasPrefix("HTTP/1.1 101"), "\(head)")
                return wire
            }
            let mask: [UInt8] = [1, 2, 3, 4]
            // A length of 64 bits, with and without its highest bit; unmasked; reserved bits; unknown and fragmented control frames.
            let broken: [[UInt8]] = [
                [0x81, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF] + mask,
                [0x81, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF] + mask,
                [0x81, 0x05] + Array("hello".utf8), [0xF1, 0x80] + mask, [0x83, 0x80] + mask, [0x09, 0x80] + mask,
                [0x89, 0xFE, 0x01, 0x00] + mask, [0x80, 0x80] + mask, [0x88, 0x81] + mask + [0],
            ]
            for frame in broken {
                let wire = try open()
                wire.send(frame)
                let bytes = wire.readAll()
                #expect(bytes.contains(0x88), "\(frame.prefix(4)) is closed with a frame that says so")
            }
            // A message in fragments of one byte, without an end.
            let fragments = try open()
            fragments.send([0x01, 0x81] + mask + [0x7B ^ 1])
            let one: [UInt8] = [0x00, 0x81] + mask + [0x20 ^ 1]
            let many = [UInt8]((0..<2000).flatMap { _ in one })
            for _ in 0..<200 where fragments.send(many) {}
            // A flood of pings whose pongs nobody reads.
            let flood = try open()
            let ping: [UInt8] = [0x89, 0xFD] + mask + [UInt8](repeating: 7, count: 125)
            let pings = [UInt8]((0..<500).flatMap { _ in ping })
            for _ in 0..<200 where flood.send(pings) {}
            try Self.check(cluster, "hostile frames")
        }
    }
}
