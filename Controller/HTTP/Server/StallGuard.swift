import Glibc
import NIOCore

/// Closes a connection whose other end takes nothing of what waits for it, for as long as the deadline says. One that reads slowly
/// is left alone: each byte counts.
final class StallGuard: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    /// The beginning of the kernel's `struct tcp_info`, whose layout is part of its interface.
    private struct ConnectionInfo: Sendable {
        // swift-format-ignore
        var before: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)
            = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        /// `tcpi_bytes_acked`, since Linux 4.1.
        var bytesAcknowledged: UInt64 = 0
    }

    private let deadline: TimeAmount
    private var look: Scheduled<Void>?

    init(_ deadline: TimeAmount) { self.deadline = deadline }

    /// Bytes that were written and that the system has not taken yet.
    static func unsent(_ channel: any Channel) -> Int {
        (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    /// Bytes that the other end has acknowledged: while it reads, however slowly, they become more. What the system has taken of ours
    /// would not do, since it takes large pieces only.
    static func acknowledged(_ channel: any Channel) -> EventLoopFuture<UInt64> {
        guard let options = channel as? any SocketOptionProvider else {
            return channel.eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
        }
        return options.unsafeGetSocketOption(level: .tcp, name: NIOBSDSocket.Option(rawValue: TCP_INFO))
            .map { (info: ConnectionInfo) in info.bytesAcknowledged }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        look?.cancel()
        look = nil
        if !context.channel.isWritable { watch(context, nil) }
        context.fireChannelWritabilityChanged()
    }

    func handlerRemoved(context: ChannelHandlerContext) { look?.cancel() }

    private func watch(_ context: ChannelHandlerContext, _ before: UInt64?) {
        let isolated = NIOLoopBound(context, eventLoop: context.eventLoop)
        Self.acknowledged(context.channel).assumeIsolated().whenSuccess { now in
            let context = isolated.value
            guard context.channel.isActive, !context.channel.isWritable else { return }
            guard before != now else { return context.close(promise: nil) }
            self.look = context.eventLoop.assumeIsolated().scheduleTask(in: self.deadline) {
                self.watch(isolated.value, now)
            }
        }
    }
}
