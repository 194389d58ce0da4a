import Foundation
import NIOCore
import TestSupport
import Testing

@testable import ControllerHTTP

/// Row 41 of the fault matrix: readers that are slow, that sleep, and connections that say nothing.
@Suite struct SlowReaderTests {
    /// More than connections hold.
    private static let lines = (0..<200).map { "\($0)" + String(repeating: ".", count: 40_000) }
    private static let path = "/api/v1/pipeline-runs/1/steps/build/compile/log?format=raw"

    private static func world() -> World {
        let world = World()
        world.addRun(1)
        world.append(lines, to: 10)
        return world
    }

    /// Asks on a connection that holds little.
    private static func ask(_ port: Int) throws -> Int32 {
        let socket = try Sockets.connect(port: port, receiveBuffer: 4096)
        try Sockets.write(
            socket, Array("GET \(path) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin-token\r\n\r\n".utf8))
        return socket
    }

    private static func length(_ head: [UInt8]) throws -> (head: Int, body: Int) {
        let end = try #require(head.firstRange(of: Array("\r\n\r\n".utf8)))
        let words = String(decoding: head[..<end.lowerBound], as: UTF8.self).lowercased().split(separator: "\r\n")
        let value = try #require(words.first { $0.hasPrefix("content-length:") }?.dropFirst(15))
        return (end.upperBound, try #require(Int(value.filter(\.isNumber))))
    }

    @Test func whoTakesNothingIsClosed() async throws {
        try await withServer(Self.world(), change: { $0.stallDeadline = .milliseconds(300) }) { _, _, client in
            let port = client.port
            try await BlockingTask.run {
                let socket = try Self.ask(port)
                defer { close(socket) }
                var bytes = try Sockets.read(socket)
                // The silence that is tested.
                Clock.pause(2)
                while let more = try? Sockets.read(socket), !more.isEmpty { bytes += more }
                let (head, body) = try Self.length(bytes)
                #expect(bytes.count - head < body, "the rest was thrown away: \(bytes.count) of \(body)")
            }
        }
    }

    @Test func whoReadsSlowlyGetsAll() async throws {
        try await withServer(
            Self.world(),
            change: {
                $0.stallDeadline = .milliseconds(500)
                $0.keepAlive = .milliseconds(100)
            }
        ) { _, _, client in
            let port = client.port
            try await BlockingTask.run {
                let socket = try Self.ask(port)
                defer { close(socket) }
                var bytes = try Sockets.read(socket)
                let (head, body) = try Self.length(bytes)
                bytes.reserveCapacity(head + body)
                // Faster at first; the end, which waits in the controller after the answer is complete there, slowly.
                while bytes.count - head < body {
                    let more = try Sockets.read(socket, max: 64 * 1024)
                    if more.isEmpty { break }
                    bytes += more
                    if body - (bytes.count - head) < 3_000_000 { Clock.pause(0.02) }
                }
                #expect(bytes.count - head == body)
            }
        }
    }

    @Test func theOldestThatSaidNothingGoesForANewOne() async throws {
        try await withServer(change: { $0.waitingHeadsPerAddressMax = 8 }) { _, _, client in
            let port = client.port
            try await BlockingTask.run {
                let silent = try (0..<20).map { _ in try Sockets.connect(port: port, timeout: 5) }
                defer { for socket in silent { close(socket) } }
                for socket in silent { try Sockets.write(socket, [71]) }
                func closed() -> [Int32] {
                    silent.filter { socket in
                        var interest = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
                        return poll(&interest, 1, 0) > 0
                    }
                }
                // Long before the deadline of heads.
                try eventually(within: 5, "all but eight are closed") { closed().count == 12 }
                let gone = closed()
                // Those that speak are through.
                for socket in silent where !gone.contains(socket) {
                    try Sockets.write(socket, Array("ET /health/live HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
                    let answer = try Sockets.read(socket)
                    #expect(answer.starts(with: Array("HTTP/1.1 200".utf8)))
                }
            }
        }
    }
}
