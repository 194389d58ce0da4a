import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOSSL
import NIOWebSocket

/// A connection that is HTTP/1.1, and may become a viewer's WebSocket with its first request.
struct ControllerChannel: ServerChildChannel {
    enum Outcome: Sendable {
        case http(NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>)
        case webSocket(ViewerSocket)
    }

    struct Value: ServerChildChannelValue {
        let channel: any Channel
        let outcome: EventLoopFuture<Outcome>
        let connection: ConnectionContext
    }

    /// Hummingbird's loop over one connection's requests, with our dispatcher.
    private struct Requests: HTTPChannelHandler {
        typealias Value = ControllerChannel.Value
        let responder: HTTPChannelHandler.Responder

        func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
            channel.eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
        }
        func handle(value: Value, logger: Logger) async {}
    }

    let dispatcher: Dispatcher
    let waiting: WaitingHeads

    init(dispatcher: Dispatcher) {
        self.dispatcher = dispatcher
        waiting = WaitingHeads(perAddressMax: dispatcher.configuration.waitingHeadsPerAddressMax)
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let settings = dispatcher.configuration
        let connection = ConnectionContext(
            remote: channel.remoteAddress?.ipAddress ?? "unknown", isTLS: settings.certificate != nil,
            proxies: settings.proxies)
        let grants = GrantBox()
        return channel.eventLoop.makeCompletedFuture {
            try channel.syncOptions?.setOption(.tcpOption(.tcp_nodelay), value: 1)
            try channel.syncOptions?.setOption(.writeBufferWaterMark, value: ViewerSocket.waterMark)
            try channel.pipeline.syncOperations.addHandler(StallGuard(settings.stallDeadline))
            if let certificate = settings.certificate {
                try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: certificate.context))
            }
            let outcome = try configure(channel, grants, logger)
            let pipeline = channel.pipeline.syncOperations
            let upgrader = try pipeline.handler(type: NIOTypedHTTPServerUpgradeHandler<Outcome>.self)
            let decision = UpgradeDecision(services: dispatcher.services, configuration: dispatcher.configuration)
            try pipeline.addHandler(
                ConnectionGuard(decision, connection, grants, waiting), position: .before(upgrader))
            return Value(channel: channel, outcome: outcome, connection: connection)
        }
    }

    private func configure(
        _ channel: any Channel, _ grants: GrantBox, _ logger: Logger
    ) throws -> EventLoopFuture<Outcome> {
        let limits = dispatcher.configuration
        var configuration = NIOUpgradableHTTPServerPipelineConfiguration<Outcome>(
            upgradeConfiguration: NIOTypedHTTPServerUpgradeConfiguration(
                upgraders: [ViewerUpgrader(dispatcher: dispatcher, grants: grants)],
                notUpgradingCompletionHandler: { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandlers([
                            HTTP1ToHTTPServerCodec(secure: limits.certificate != nil),
                            HTTPConnectionStateHandler(logger: logger),
                        ])
                        return .http(
                            try NIOAsyncChannel(
                                wrappingChannelSynchronously: channel,
                                configuration: .init(isOutboundHalfClosureEnabled: true)))
                    }
                }))
        configuration.enablePipelining = false
        configuration.enableErrorHandling = false
        configuration.enableResponseHeaderValidation = false
        configuration.decoderConfiguration.maxHeaderListSize = limits.headerListBytesMax
        configuration.decoderConfiguration.maxHeaderFieldSize = limits.headerFieldBytesMax
        configuration.decoderConfiguration.maxHeaderFieldCount = limits.headerCountMax
        return try channel.pipeline.syncOperations.configureUpgradableHTTPServerPipeline(configuration: configuration)
    }

    func handle(value: Value, logger: Logger) async {
        let dispatcher = self.dispatcher
        let connection = value.connection
        do {
            switch try await value.outcome.get() {
            case .http(let channel):
                let requests = Requests { request, writer, _ in
                    let response = await dispatcher.respond(request, connection)
                    try await writer.write(response: response.head, body: response.body)
                }
                await requests.handleHTTP(asyncChannel: channel, logger: logger)
            case .webSocket(let socket): await socket.watch(dispatcher.services.authentication)
            }
        } catch {
            value.channel.close(promise: nil)
        }
    }
}

/// NIO's handshake, then our own handler on the bare bytes: viewers share frames that are encoded already.
private struct ViewerUpgrader: NIOTypedHTTPServerProtocolUpgrader {
    typealias UpgradeResult = ControllerChannel.Outcome

    let supportedProtocol = "websocket"
    let requiredUpgradeHeaders: [String] = []
    let dispatcher: Dispatcher
    let grants: GrantBox

    func buildUpgradeResponse(
        channel: any Channel, upgradeRequest: HTTPRequestHead, initialResponseHeaders: HTTPHeaders
    ) -> EventLoopFuture<HTTPHeaders> {
        NIOTypedWebSocketServerUpgrader<Void>(
            shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture([:]) },
            upgradePipelineHandler: { channel, _ in channel.eventLoop.makeSucceededVoidFuture() }
        ).buildUpgradeResponse(
            channel: channel, upgradeRequest: upgradeRequest, initialResponseHeaders: initialResponseHeaders)
    }

    func upgrade(channel: any Channel, upgradeRequest: HTTPRequestHead) -> EventLoopFuture<UpgradeResult> {
        channel.eventLoop.makeCompletedFuture {
            guard let grant = grants.grant else { throw ChannelError.operationUnsupported }
            let pipeline = channel.pipeline.syncOperations
            let socket = ViewerSocket(channel, grant, dispatcher.services, dispatcher.configuration)
            try pipeline.addHandler(socket)
            return .webSocket(socket)
        }
    }
}
