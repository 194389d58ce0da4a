import AgentShimCore
import Glibc
import NIOCore
import NIOPosix

/// The agent's end of one shim's socket, on the host's event loop.
final class ShimConnection: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer

    private let loop: any EventLoop
    private var reader: ShimFrameReader
    private var channel: (any Channel)?
    private var waiting: [[UInt8]] = []
    private var isOver = false
    private let onReport: (ShimReport) -> Void
    private let onEnd: () -> Void

    /// - Parameters:
    ///   - reader: May hold bytes that were read before.
    ///   - onReport: Called on the loop for each report, in order.
    ///   - onEnd: Called on the loop once, when nothing more will come.
    init(
        loop: any EventLoop, reader: ShimFrameReader = ShimFrameReader(), onReport: @escaping (ShimReport) -> Void,
        onEnd: @escaping () -> Void
    ) {
        self.loop = loop
        self.reader = reader
        self.onReport = onReport
        self.onEnd = onEnd
    }

    /// Takes over a connected socket.
    func open(_ descriptor: Int32) {
        loop.preconditionInEventLoop()
        ClientBootstrap(group: loop)
            .channelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(self) }
            }
            .withConnectedSocket(descriptor)
            .whenComplete { [self] result in
                switch result {
                case .success(let channel):
                    self.channel = channel
                    for bytes in waiting { channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }
                    waiting = []
                    deliver()
                case .failure: end()
                }
            }
    }

    func send(_ command: ShimCommand) throws(ShimCodecError) {
        let bytes = try ShimCodec.encode(command)
        guard !isOver else { return }
        if let channel {
            channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
        } else {
            waiting.append(bytes)
        }
    }

    func close() {
        isOver = true
        channel?.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        reader.feed(unwrapInboundIn(data).readableBytesView)
        deliver()
    }

    func channelInactive(context: ChannelHandlerContext) { end() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func deliver() {
        do {
            while !isOver, let message = try reader.next() { onReport(try ShimCodec.report(message)) }
        } catch {
            channel?.close(promise: nil)
        }
    }

    private func end() {
        channel = nil
        guard !isOver else { return }
        isOver = true
        onEnd()
    }
}
