import NIOCore
import NIOHTTP1

/// Takes the HTTP part out of a pipeline, for a channel whose bytes are WebSocket frames from here on.
enum UpgradeSurgery {
    /// Removes `codecs`, then puts a WebSocket connection behind `gate`.
    ///
    /// The caller is `gate`, and must from now on keep what it is handed; when the future is done it passes that on and leaves.
    static func replace(
        _ codecs: [any RemovableChannelHandler], on channel: any Channel, options: WebSocketOptions,
        peerCertificateDER: [UInt8]?
    ) -> EventLoopFuture<MessageConnection> {
        let pipeline = channel.pipeline.syncOperations
        let removals = codecs.map { pipeline.removeHandler($0) }
        let loop = NIOLoopBound(channel, eventLoop: channel.eventLoop)
        return EventLoopFuture.andAllSucceed(removals, on: channel.eventLoop).flatMapThrowing {
            try MessageConnection.install(on: loop.value, options: options, peerCertificateDER: peerCertificateDER)
        }
    }
}
