import AnsFlowTransport
import ControllerCore
import ControllerRealtime
import Foundation
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import ControllerHTTP

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A server on a free port for the time of `body`.
func withServer(
    _ world: World = World(), change: (inout HTTPConfiguration) -> Void = { _ in },
    services adjust: (inout HTTPServices) -> Void = { _ in },
    _ body: (World, EventHub, Client) async throws -> Void
) async throws {
    var configuration = HTTPConfiguration(now: { World.now })
    configuration.port = 0
    configuration.accessLog = nil
    change(&configuration)
    let hub = world.hub()
    var services = world.services(hub)
    adjust(&services)
    let server = try Server(
        configuration: configuration, services: services,
        logger: Logger(
            label: "test",
            factory: { _ in
                SwiftLogNoOpLogHandler()
            }))
    let task = Task { try await server.run() }
    let client = Client(port: await server.port, routes: server.routes)
    do {
        try await body(world, hub, client)
    } catch {
        task.cancel()
        throw error
    }
    task.cancel()
    _ = try? await task.value
}

struct Answer {
    var status: Int
    var headers: [String: String]
    var body: String

    func json() throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any])
    }
}

/// Speaks HTTP/1.1 by hand, so that a test can send what no library would.
struct Client {
    var port: Int
    var routes: [Route]
    static let deadline = Duration.seconds(20)

    func connect() async throws -> Wire { try await Wire.connect(port: port) }

    /// - Parameter token: nil for no Authorization header.
    func send(
        _ method: String, _ target: String, token: String? = "admin-token", body: String? = nil,
        type: String = "application/json", headers: [(String, String)] = []
    ) async throws -> Answer {
        var text = "\(method) \(target) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n"
        if let token { text += "Authorization: Bearer \(token)\r\n" }
        for header in headers { text += "\(header.0): \(header.1)\r\n" }
        if let body { text += "Content-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\n" }
        let answer = try await raw(text + "\r\n" + (body ?? ""))
        let faults = try AnswerCheck.faults(routes, method, target, answer)
        #expect(faults.isEmpty, "\(method) \(target): \(answer.status) \(faults)")
        return answer
    }

    func get(_ target: String, headers: [(String, String)] = []) async throws -> Answer {
        try await send("GET", target, headers: headers)
    }

    /// Sends bytes and reads until the server closes.
    func raw(_ text: String) async throws -> Answer {
        let wire = try await connect()
        defer { wire.close() }
        wire.send(Array(text.utf8))
        let bytes = try await wire.untilClosed()
        return try Self.parse(bytes)
    }

    static func parse(_ bytes: [UInt8]) throws -> Answer {
        let end = try #require(find([13, 10, 13, 10], in: bytes))
        let lines = String(decoding: bytes[0..<end], as: UTF8.self).split(separator: "\r\n").map(String.init)
        let status = try #require(lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) })
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let sides = line.split(separator: ":", maxSplits: 1).map(String.init)
            headers[sides[0].lowercased()] =
                sides.count > 1 ? sides[1].trimmingPrefix(while: { $0 == " " }).description : ""
        }
        var body = Array(bytes[(end + 4)...])
        if headers["transfer-encoding"] == "chunked" { body = unchunk(body) }
        return Answer(status: status, headers: headers, body: String(decoding: body, as: UTF8.self))
    }

    private static func find(_ part: [UInt8], in bytes: [UInt8]) -> Int? {
        guard bytes.count >= part.count else { return nil }
        return (0...(bytes.count - part.count)).first { bytes[$0..<($0 + part.count)].elementsEqual(part) }
    }

    private static func unchunk(_ bytes: [UInt8]) -> [UInt8] {
        var rest = bytes[...]
        var result: [UInt8] = []
        while let end = rest.firstIndex(of: 13),
            let size = Int(String(decoding: rest[rest.startIndex..<end], as: UTF8.self), radix: 16), size > 0
        {
            rest = rest[(end + 2)...]
            result += rest.prefix(size)
            rest = rest.dropFirst(size + 2)
        }
        return result
    }
}

/// A TCP connection whose received bytes gather.
final class Wire: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var closed = false
    }

    private final class Collector: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        let wire: Wire
        init(_ wire: Wire) { self.wire = wire }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let buffer = unwrapInboundIn(data)
            wire.state.withLock { $0.bytes += buffer.readableBytesView }
        }
        func channelInactive(context: ChannelHandlerContext) { wire.state.withLock { $0.closed = true } }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    private let state = Mutex(State())
    private let channel = Mutex<(any Channel)?>(nil)

    static func connect(port: Int, receives: Bool = true) async throws -> Wire {
        let wire = Wire()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: receives)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(wire))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        wire.channel.withLock { $0 = channel }
        return wire
    }

    /// Whether bytes are taken from the socket.
    func receive(_ flag: Bool) async throws {
        try await channel.withLock { $0 }?.setOption(.autoRead, value: flag).get()
    }

    func send(_ bytes: [UInt8]) { channel.withLock { $0 }?.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }
    func close() { channel.withLock { $0 }?.close(promise: nil) }

    var bytes: [UInt8] { state.withLock { $0.bytes } }
    var isClosed: Bool { state.withLock { $0.closed } }

    /// Takes what `take` finds in the received bytes, as soon as it is there.
    func until<Result>(_ what: String, _ take: (inout [UInt8]) throws -> Result?) async throws -> Result {
        let end = ContinuousClock.now + Client.deadline
        while ContinuousClock.now < end {
            if let result = try state.withLock({ try take(&$0.bytes) }) { return result }
            if isClosed, let result = try state.withLock({ try take(&$0.bytes) }) { return result }
            if isClosed { throw Missing(what: "\(what): the connection was closed") }
            try await Task.sleep(for: .milliseconds(2))
        }
        throw Missing(what: what)
    }

    func untilClosed() async throws -> [UInt8] {
        let end = ContinuousClock.now + Client.deadline
        while ContinuousClock.now < end {
            if isClosed { return bytes }
            try await Task.sleep(for: .milliseconds(2))
        }
        throw Missing(what: "the close")
    }

    struct Missing: Error { var what: String }
}

/// A viewer over a real socket.
final class LiveClient {
    let wire: Wire
    private var buffer = ByteBuffer()
    private let parser = FrameParser(FrameParser.Rules(peerMasks: false, payloadMax: 16 * 1024 * 1024))

    init(_ wire: Wire) {
        self.wire = wire
    }

    static func request(_ target: String, port: Int, token: String? = "admin-token", headers: [(String, String)] = [])
        -> String
    {
        var text = "GET \(target) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        text += "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        if let token { text += "Authorization: Bearer \(token)\r\n" }
        for header in headers { text += "\(header.0): \(header.1)\r\n" }
        return text + "\r\n"
    }

    static func open(
        _ client: Client, _ target: String, token: String? = "admin-token", headers: [(String, String)] = []
    ) async throws -> LiveClient {
        let wire = try await client.connect()
        wire.send(Array(request(target, port: client.port, token: token, headers: headers).utf8))
        let head = try await wire.until("the upgrade") { bytes -> String? in
            guard
                let end = (0..<max(0, bytes.count - 3)).first(where: {
                    bytes[$0..<($0 + 4)].elementsEqual([13, 10, 13, 10])
                })
            else { return nil }
            defer { bytes.removeFirst(end + 4) }
            return String(decoding: bytes[0..<end], as: UTF8.self)
        }
        try #require(head.hasPrefix("HTTP/1.1 101"), "\(head)")
        #expect(head.lowercased().contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="))
        return LiveClient(wire)
    }

    /// The next frame.
    func frame(_ what: String = "a frame") async throws -> Frame {
        while true {
            if let frame = try parser.next(&buffer) { return frame }
            let more = try await wire.until(what) { bytes -> [UInt8]? in
                defer { bytes = [] }
                return bytes.isEmpty ? nil : bytes
            }
            buffer.writeBytes(more)
        }
    }

    /// The next message; pings are answered on the way.
    func message(_ what: String = "a message") async throws -> [String: Any] {
        while true {
            let frame = try await frame(what)
            switch frame.opcode {
            case .ping: send(Frame(.pong, payload: frame.payload))
            case .text:
                return try #require(try JSONSerialization.jsonObject(with: Data(frame.payload)) as? [String: Any])
            default: throw Wire.Missing(what: "\(what): got \(frame)")
            }
        }
    }

    func send(_ frame: Frame) {
        wire.send(
            Array(FrameWriter.encode(frame, mask: 0x1234_5678, allocator: ByteBufferAllocator()).readableBytesView))
    }

    func say(_ text: String) { send(Frame(.text, payload: Array(text.utf8))) }
}
