import NIOCore
import NIOEmbedded
import Testing

@testable import AnsFlowTransport

/// The handler on an embedded channel: rules, close codes and back-pressure without a socket.
struct WebSocketHandlerTests {
    private struct Bench {
        let channel = EmbeddedChannel()
        let connection: MessageConnection

        init(_ change: (inout WebSocketOptions) -> Void = { _ in }) throws {
            var options = WebSocketOptions(role: .server)
            change(&options)
            connection = try MessageConnection.install(on: channel, options: options)
            try channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        }

        /// Frames as a client sends them.
        func feed(_ frames: Frame...) throws {
            for frame in frames {
                try channel.writeInbound(
                    FrameWriter.encode(frame, mask: 0x0102_0304, allocator: channel.allocator))
            }
        }

        /// What was written, parsed as a client would.
        func written() throws -> [Frame] {
            let parser = FrameParser(.init(peerMasks: false, payloadMax: 1 << 20, allowsFragments: true))
            var buffer = ByteBuffer()
            while var part = try channel.readOutbound(as: ByteBuffer.self) { buffer.writeBuffer(&part) }
            var frames: [Frame] = []
            while let frame = try parser.next(&buffer) { frames.append(frame) }
            return frames
        }

        func closeCode() throws -> UInt16? {
            try written().last { $0.opcode == .close }.map { try FrameWriter.readClose($0.payload).code }
        }

        func finish() { _ = try? channel.finish(acceptAlreadyClosed: true) }
    }

    @Test func pingIsAnswered() throws {
        let bench = try Bench()
        defer { bench.finish() }
        try bench.feed(Frame(.ping, payload: [1, 2]))
        #expect(try bench.written() == [Frame(.pong, payload: [1, 2])])
    }

    @Test func pingFloodIsClosed() throws {
        let bench = try Bench { $0.controlFramesMax = 10 }
        defer { bench.finish() }
        for _ in 0..<10 { try bench.feed(Frame(.ping, payload: [])) }
        #expect(bench.connection.end == nil)
        try bench.feed(Frame(.pong, payload: []))
        #expect(bench.connection.end?.code == 4429)
        #expect(try bench.closeCode() == 4429)
    }

    @Test func fragmentsAreRefusedForAgents() throws {
        let bench = try Bench()
        defer { bench.finish() }
        try bench.feed(Frame(.binary, final: false, payload: [1]))
        #expect(try bench.closeCode() == 4400)
        #expect(bench.connection.end?.source == .local)
    }

    @Test func textIsRefusedForAgents() throws {
        let bench = try Bench()
        defer { bench.finish() }
        try bench.feed(Frame(.text, payload: [65]))
        #expect(try bench.closeCode() == 4400)
    }

    @Test func browsersMayFragmentAndGetTheStandardsCodes() async throws {
        let bench = try Bench {
            $0.kind = .text
            $0.codes = .standard
            $0.allowsFragments = true
            $0.messageBytesMax = 8
            $0.fragmentsMax = 3
        }
        defer { bench.finish() }
        try bench.feed(
            Frame(.text, final: false, payload: Array("ab".utf8)), Frame(.ping, payload: []),
            Frame(.continuation, payload: Array("cd".utf8)))
        #expect(try await bench.connection.receive() == Array("abcd".utf8))
        _ = bench.connection.trySend(Array("hi".utf8))
        #expect(try bench.written().last == Frame(.text, payload: Array("hi".utf8)))
        try bench.feed(
            Frame(.text, final: false, payload: Array("abcdef".utf8)), Frame(.continuation, payload: [65, 65, 65]))
        #expect(try bench.closeCode() == 1009)
    }

    @Test(
        arguments: [
            ([Frame(.text, payload: [0xFF])], 1002), ([Frame(.binary, payload: [1])], 1003),
            ([Frame(.continuation, payload: [65])], 1002),
            ([Frame(.text, final: false, payload: [65]), Frame(.text, payload: [65])], 1002),
            (
                [
                    Frame(.text, final: false, payload: []), Frame(.continuation, final: false, payload: []),
                    Frame(.continuation, final: false, payload: []), Frame(.continuation, final: false, payload: []),
                ], 1009
            ), ([Frame(.close, payload: [0])], 1002), ([Frame(.text, payload: [UInt8](repeating: 65, count: 9))], 1009),
        ] as [([Frame], UInt16)])
    func violationsOfTextConnections(_ frames: [Frame], _ code: UInt16) throws {
        let bench = try Bench {
            $0.kind = .text
            $0.codes = .standard
            $0.allowsFragments = true
            $0.messageBytesMax = 8
            $0.fragmentsMax = 3
        }
        defer { bench.finish() }
        for frame in frames { try bench.feed(frame) }
        #expect(try bench.closeCode() == code)
    }

    @Test func whatThePeerSentBeforeItsCloseIsHandedOut() async throws {
        let bench = try Bench()
        defer { bench.finish() }
        try bench.feed(
            Frame(.binary, payload: [1]), Frame(.binary, payload: [2]),
            Frame(.close, payload: FrameWriter.closePayload(4403, "revoked")), Frame(.binary, payload: [3]))
        #expect(try await bench.connection.receive() == [1])
        #expect(try await bench.connection.receive() == [2])
        #expect(try await bench.connection.receive() == nil)
        #expect(await bench.connection.closed() == ConnectionEnd(.peer, code: 4403, reason: "revoked"))
        #expect(try bench.closeCode() == 4403)
        #expect(bench.connection.trySend([1]) == .closed)
        await #expect(throws: ConnectionEnd.self) { try await bench.connection.send([1]) }
    }

    @Test func afterAnOwnCloseNothingUnreadIsHandedOut() async throws {
        let bench = try Bench()
        defer { bench.finish() }
        try bench.feed(Frame(.binary, payload: [1]))
        bench.connection.close(code: 4499, reason: "replaced")
        try bench.feed(Frame(.binary, payload: [2]))
        #expect(try await bench.connection.receive() == nil)
        #expect(try bench.closeCode() == 4499)
        #expect(bench.channel.isActive)
        try bench.feed(Frame(.close, payload: FrameWriter.closePayload(4499, "")))
        #expect(!bench.channel.isActive)
        #expect(await bench.connection.closed() == ConnectionEnd(.local, code: 4499, reason: "replaced"))
    }

    @Test func ofSeveralClosesThePeerSeesTheFirst() async throws {
        let bench = try Bench()
        defer { bench.finish() }
        // What two tasks at once may come to: the first has recorded its end, and the second's command overtakes it.
        let first = ConnectionEnd(.local, code: 4499, reason: "replaced")
        bench.connection.mailbox.end(first, drop: true)
        bench.connection.close(code: 1000, reason: "")
        bench.connection.close(code: 4499, reason: "replaced")
        let closes = try bench.written().filter { $0.opcode == .close }
        #expect(closes == [Frame(.close, payload: FrameWriter.closePayload(4499, "replaced"))])
        #expect(bench.connection.end == first)
    }

    @Test func anAbortThatACloseOvertakesSaysNothing() async throws {
        let bench = try Bench()
        defer { bench.finish() }
        let end = ConnectionEnd(.local, code: ConnectionEnd.abnormal, reason: "over")
        bench.connection.mailbox.end(end, drop: true)
        bench.connection.close(code: 1000, reason: "")
        bench.connection.abort(reason: "over")
        #expect(try bench.written().isEmpty)
        #expect(!bench.channel.isActive)
        #expect(await bench.connection.closed() == end)
    }

    @Test func aCloseWithoutAnAnswerEndsByTime() async throws {
        let bench = try Bench { $0.closeTimeout = .seconds(2) }
        defer { bench.finish() }
        bench.connection.close(code: 1000, reason: "")
        bench.channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(bench.channel.isActive)
        bench.channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(!bench.channel.isActive)
    }

    @Test func readingStopsWhileTheReceiverIsBehind() async throws {
        let bench = try Bench { $0.inboundBytesMax = 1000 }
        defer { bench.finish() }
        let reads = ReadCounter()
        try bench.channel.pipeline.syncOperations.addHandler(reads, position: .first)
        bench.channel.read()
        #expect(reads.count == 1)
        for _ in 0..<4 { try bench.feed(Frame(.binary, payload: [UInt8](repeating: 0, count: 300))) }
        let held = bench.connection.waitingBytes.inbound
        #expect(held >= 1000 && held < 1000 + 600)
        let before = reads.count
        bench.channel.read()
        #expect(reads.count == before, "no read reaches the socket")
        for _ in 0..<4 { #expect(try await bench.connection.receive()?.count == 300) }
        #expect(reads.count > before, "reading goes on when the receiver has caught up")
        #expect(bench.connection.waitingBytes.inbound == 0)
    }

    @Test func silenceClosesAndTrafficDoesNot() throws {
        let bench = try Bench { $0.silence = .seconds(30) }
        defer { bench.finish() }
        for _ in 0..<10 {
            bench.channel.embeddedEventLoop.advanceTime(by: .seconds(29))
            try bench.feed(Frame(.binary, payload: [1]))
        }
        #expect(bench.connection.end == nil)
        bench.channel.embeddedEventLoop.advanceTime(by: .seconds(29))
        #expect(bench.connection.end == nil)
        bench.channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(bench.connection.end?.code == 4408)
        #expect(!bench.channel.isActive)
    }

    @Test func ourOwnSlowReaderIsNotThePeersSilence() async throws {
        let bench = try Bench {
            $0.silence = .seconds(30)
            $0.inboundBytesMax = 1000
        }
        defer { bench.finish() }
        try bench.feed(Frame(.binary, payload: [UInt8](repeating: 0, count: 2000)))
        bench.channel.read()
        for _ in 0..<10 { bench.channel.embeddedEventLoop.advanceTime(by: .seconds(29)) }
        #expect(bench.connection.end == nil)
        #expect(try await bench.connection.receive()?.count == 2000)
        bench.channel.embeddedEventLoop.advanceTime(by: .seconds(29))
        #expect(bench.connection.end == nil)
        bench.channel.embeddedEventLoop.advanceTime(by: .seconds(31))
        #expect(bench.connection.end?.code == 4408)
    }

    @Test func trySendReportsAnOverflow() throws {
        let bench = try Bench { $0.outboundBytesMax = 1000 }
        defer { bench.finish() }
        try bench.channel.pipeline.syncOperations.addHandler(WriteHolder(), position: .first)
        var sent = 0
        while bench.connection.trySend([UInt8](repeating: 0, count: 100)) == .sent { sent += 1 }
        #expect(sent == 6)
        #expect(bench.connection.trySend([]) == .overflow || bench.connection.waitingBytes.outbound <= 1000)
        #expect(bench.connection.end == nil)
    }
}

private final class ReadCounter: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    var count = 0

    func read(context: ChannelHandlerContext) {
        count += 1
        context.read()
    }
}

/// A socket that takes nothing.
private final class WriteHolder: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    private var held: [EventLoopPromise<Void>?] = []

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) { held.append(promise) }

    func handlerRemoved(context: ChannelHandlerContext) {
        for promise in held { promise?.fail(ChannelError.ioOnClosedChannel) }
    }
}
