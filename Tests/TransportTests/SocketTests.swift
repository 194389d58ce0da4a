import NIOCore
import NIOPosix
import Testing

@testable import AnsFlowTransport

/// Two connections over a real loopback socket, without TLS and HTTP.
struct SocketTests {
    static func pair(
        server: @escaping @Sendable (inout WebSocketOptions) -> Void = { _ in },
        client: @escaping @Sendable (inout WebSocketOptions) -> Void = { _ in },
        _ body: (MessageConnection, MessageConnection) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let listener = try await ServerBootstrap(group: group).bind(host: "127.0.0.1", port: 0) { channel in
            channel.eventLoop.makeCompletedFuture {
                try SocketOptions.apply(to: channel)
                var options = WebSocketOptions(role: .server)
                server(&options)
                return try MessageConnection.install(on: channel, options: options)
            }
        }
        let port = listener.channel.localAddress?.port ?? 0
        try await listener.executeThenClose { inbound in
            let dialled = try await ClientBootstrap(group: group).connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try SocketOptions.apply(to: channel)
                    var options = WebSocketOptions(role: .client)
                    client(&options)
                    return try MessageConnection.install(on: channel, options: options)
                }
            }
            var iterator = inbound.makeAsyncIterator()
            let accepted = try #require(try await iterator.next())
            try await body(accepted, dialled)
            for connection in [accepted, dialled] {
                connection.abort(reason: "over")
                await connection.closed()
            }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func messagesComeWholeAndInOrder() async throws {
        try await Self.pair { server, client in
            async let sending: Void = {
                for index in 0..<300 {
                    try await client.send([UInt8](repeating: UInt8(index % 251), count: index * 37))
                }
                client.close(code: 1000, reason: "done")
            }()
            var index = 0
            while let message = try await server.receive() {
                #expect(message == [UInt8](repeating: UInt8(index % 251), count: index * 37))
                index += 1
            }
            try await sending
            #expect(index == 300)
            #expect(await server.closed() == ConnectionEnd(.peer, code: 1000, reason: "done"))
            #expect(await client.closed().source == .local)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func aPeerThatDoesNotReadBoundsOurMemory() async throws {
        try await Self.pair { server, client in
            // The server's reader never receives: its inbox fills, then the kernel, then the client's queue.
            let sender = Task {
                var sent = 0
                while true {
                    try await client.send([UInt8](repeating: 7, count: 64 * 1024))
                    sent += 1
                    if sent > 2000 { return }
                }
            }
            try await Self.until { server.waitingBytes.inbound >= server.mailbox.options.inboundBytesMax }
            try await Self.until { client.mailbox.with { !$0.senders.isEmpty } }
            #expect(server.waitingBytes.inbound < 2 * server.mailbox.options.inboundBytesMax)
            #expect(client.waitingBytes.outbound <= client.mailbox.options.outboundBytesHigh)
            // The cheap way reports it.
            var outcome = MessageConnection.SendOutcome.sent
            for _ in 0..<200 where outcome == .sent {
                outcome = client.trySend([UInt8](repeating: 7, count: 64 * 1024))
            }
            #expect(outcome == .overflow)
            #expect(client.waitingBytes.outbound <= client.mailbox.options.outboundBytesMax)
            // And the queue does not hold up the end.
            sender.cancel()
            await #expect(throws: CancellationError.self) { try await sender.value }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func whatWasHeldBackComesAfterAll() async throws {
        try await Self.pair { server, client in
            let count = 100
            async let sending: Void = {
                for index in 0..<count { try await client.send([UInt8](repeating: UInt8(index), count: 64 * 1024)) }
            }()
            try await Self.until { server.waitingBytes.inbound >= server.mailbox.options.inboundBytesMax }
            for index in 0..<count {
                #expect(try await server.receive() == [UInt8](repeating: UInt8(index), count: 64 * 1024))
            }
            try await sending
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func silenceCloses() async throws {
        try await Self.pair(server: { $0.silence = .milliseconds(300) }) { server, client in
            let ended = try await server.receive()
            #expect(ended == nil)
            #expect(server.end?.code == 4408)
            #expect(await client.closed().code == 4408)
        }
    }

    /// As a listener does it: the reader sees the end that another task gave and says goodbye in its own way.
    @Test(.timeLimit(.minutes(1)))
    func theReasonOfTheFirstCloseReachesThePeer() async throws {
        for _ in 0..<200 {
            try await Self.pair { server, client in
                let reader = Task {
                    while try await server.receive() != nil {}
                    server.close(code: 1000, reason: "")
                }
                server.close(code: 4499, reason: "replaced")
                try await reader.value
                #expect(await client.closed() == ConnectionEnd(.peer, code: 4499, reason: "replaced"))
            }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func receivingCanBeCancelled() async throws {
        try await Self.pair { server, client in
            let waiting = Task { try await server.receive() }
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            try await client.send([9])
            #expect(try await server.receive() == [9])
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func aCutConnectionEndsBothWays() async throws {
        try await Self.pair { server, client in
            client.abort(reason: "cut")
            let ended = try await server.receive()
            #expect(ended == nil)
            #expect(await server.closed().source == .transport)
            #expect(server.end?.code == ConnectionEnd.abnormal)
            #expect(await client.closed() == ConnectionEnd(.local, code: 1006, reason: "cut"))
        }
    }

    static func until(_ condition: () -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while !condition() {
            try #require(ContinuousClock.now < deadline, "the condition did not come true in time")
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
