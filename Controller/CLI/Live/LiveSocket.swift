import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOWebSocket

/// A WebSocket client for viewers: text messages from the controller, pings answered, silence noticed.
package struct LiveSocket: Sendable {
    package enum Failure: Error, Equatable, Sendable {
        /// The controller answered the upgrade with another status.
        case refused
        case closed
        /// Nothing came for ``LiveSocket/silenceLimit``, not even a ping.
        case silent
    }

    /// What the handler wants next.
    package enum Next: Sendable {
        case more
        case stop
    }

    package var address: Endpoint.Address
    package var caFile: String?

    /// A message larger than this ends the connection; it is fetched over HTTP instead.
    package static let messageLimit = 4 << 20
    static let silenceLimit = TimeAmount.seconds(45)

    package init(address: Endpoint.Address, caFile: String?) {
        self.address = address
        self.caFile = caFile
    }

    private typealias Frames = NIOAsyncChannel<WebSocketFrame, WebSocketFrame>
    private enum Upgraded {
        case socket(Frames)
        case refused
    }

    /// Connects to `path`, calls `opened` once the upgrade is done and `handle` with every text message, one at a time, in order.
    /// While it works, nothing more is read. Returns when `handle` says stop; throws when the connection ends before that.
    package func run(
        path: String, token: String?, opened: () async throws -> Next, handle: ([UInt8]) async throws -> Next
    ) async throws {
        let upgraded = try await connect(path: address.prefix + path, token: token)
        guard case .socket(let channel) = upgraded else { throw Failure.refused }
        try await channel.executeThenClose { inbound, outbound in
            if case .stop = try await opened() { return }
            for try await frame in inbound {
                switch frame.opcode {
                case .text:
                    let bytes = Array(frame.unmaskedData.readableBytesView)
                    if case .stop = try await handle(bytes) {
                        try? await outbound.write(Self.frame(.connectionClose, Self.closeBody))
                        return
                    }
                case .ping:
                    try await outbound.write(Self.frame(.pong, frame.unmaskedData))
                case .connectionClose:
                    try? await outbound.write(Self.frame(.connectionClose, Self.closeBody))
                    throw Failure.closed
                default: break
                }
            }
            throw Failure.closed
        }
    }

    private static var closeBody: ByteBuffer { ByteBuffer(bytes: [0x03, 0xE8]) }

    private static func frame(_ opcode: WebSocketOpcode, _ data: ByteBuffer) -> WebSocketFrame {
        WebSocketFrame(fin: true, opcode: opcode, maskKey: .random(), data: data)
    }

    private func connect(path: String, token: String?) async throws -> Upgraded {
        let tls = try tlsHandler()
        let host = address.host
        let port = address.port
        var headers = HTTPHeaders([("Host", host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)")])
        headers.add(name: "Content-Length", value: "0")
        if let token { headers.add(name: "Authorization", value: "Bearer \(token)") }
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: path, headers: headers)
        let result = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connectTimeout(.seconds(10))
            .connect(host: host, port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(try tls.handler())
                    }
                    try channel.pipeline.syncOperations.addHandler(
                        IdleStateHandler(readTimeout: Self.silenceLimit))
                    try channel.pipeline.syncOperations.addHandler(SilenceHandler())
                    let upgrader = NIOTypedWebSocketClientUpgrader<Upgraded>(
                        maxFrameSize: Self.messageLimit,
                        upgradePipelineHandler: { channel, _ in
                            channel.eventLoop.makeCompletedFuture {
                                try channel.pipeline.syncOperations.addHandler(
                                    NIOWebSocketFrameAggregator(
                                        minNonFinalFragmentSize: 1, maxAccumulatedFrameCount: 1024,
                                        maxAccumulatedFrameSize: Self.messageLimit))
                                return .socket(
                                    try Frames(
                                        wrappingChannelSynchronously: channel,
                                        configuration: .init(
                                            backPressureStrategy: .init(lowWatermark: 2, highWatermark: 16))))
                            }
                        })
                    var configuration = NIOUpgradableHTTPClientPipelineConfiguration(
                        upgradeConfiguration: NIOTypedHTTPClientUpgradeConfiguration(
                            upgradeRequestHead: head, upgraders: [upgrader],
                            notUpgradingCompletionHandler: { channel in
                                channel.close(promise: nil)
                                return channel.eventLoop.makeSucceededFuture(.refused)
                            }))
                    // The first messages often come in the same read as the upgrade's answer; the default drops them.
                    configuration.leftOverBytesStrategy = .forwardBytes
                    return try channel.pipeline.syncOperations.configureUpgradableHTTPClientPipeline(
                        configuration: configuration)
                }
            }
        return try await result.get()
    }

    private struct TLS: Sendable {
        var context: NIOSSLContext
        var name: String?

        func handler() throws -> NIOSSLClientHandler {
            try NIOSSLClientHandler(context: context, serverHostname: name)
        }
    }

    private func tlsHandler() throws -> TLS? {
        guard address.tls else { return nil }
        var configuration = TLSConfiguration.makeClientConfiguration()
        if let caFile { configuration.trustRoots = .file(caFile) }
        let isAddress = (try? SocketAddress(ipAddress: address.host, port: 0)) != nil
        return TLS(context: try NIOSSLContext(configuration: configuration), name: isAddress ? nil : address.host)
    }
}

/// Ends a connection on which nothing was read for the idle handler's time.
private final class SilenceHandler: ChannelInboundHandler {
    typealias InboundIn = NIOAny

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            context.fireErrorCaught(LiveSocket.Failure.silent)
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }
}
