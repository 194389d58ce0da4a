package import NIOCore
package import NIOHTTP1

/// A server's connection whose requests are read and answered piece by piece.
package typealias HTTPServerStream = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>

/// A connection that is to be handed over. Its reader and writer are made when somebody takes it, since they must not be dropped
/// unused.
final class StreamClaim: Sendable {
    private let channel: any Channel
    private let install: NIOLoopBound<() throws -> HTTPServerStream>

    /// - Parameter install: Called on the channel's loop, where this is called too.
    init(channel: any Channel, install: @escaping () throws -> HTTPServerStream) {
        self.channel = channel
        self.install = NIOLoopBound(install, eventLoop: channel.eventLoop)
    }

    /// - Throws: Where the connection is gone.
    func take() async throws -> HTTPServerStream {
        try await channel.eventLoop.submit { [install] in try install.value() }.get()
    }
}

enum HTTPStreams {
    /// A connection on which for this long nothing came and nothing could be written is closed. Long enough for a large file to be
    /// made durable.
    static let idleMax = TimeAmount.seconds(300)

    /// Ends a pipeline in a reader and writer with back-pressure. To be called on the channel's loop.
    static func install<In: Sendable, Out: Sendable>(on channel: any Channel) throws -> NIOAsyncChannel<In, Out> {
        try channel.pipeline.syncOperations.addHandlers([IdleStateHandler(allTimeout: idleMax), CloseWhenIdle()])
        return try NIOAsyncChannel(
            wrappingChannelSynchronously: channel,
            configuration: .init(backPressureStrategy: .init(lowWatermark: 2, highWatermark: 8)))
    }
}

/// Closes a connection that ``IdleStateHandler`` calls idle.
private final class CloseWhenIdle: ChannelInboundHandler {
    typealias InboundIn = NIOAny

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { return context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
