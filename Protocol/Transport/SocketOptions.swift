import NIOCore

/// What the kernel is told about every connection, on both ends.
enum SocketOptions {
    /// Data that nobody acknowledges for so long breaks the connection.
    static let userTimeoutMilliseconds: Int = 20_000
    /// Bytes that the kernel may hold unsent before the socket counts as full: less is hidden from our own queues.
    static let unsentLowWaterMark: Int = 128 * 1024

    // <linux/tcp.h>; not in Glibc's module for Swift.
    private static let tcpNoDelay = ChannelOptions.Types.SocketOption(level: .tcp, name: .tcp_nodelay)
    private static let tcpUserTimeout = ChannelOptions.Types.SocketOption(level: .tcp, name: .init(rawValue: 18))
    private static let tcpNotSentLowWater = ChannelOptions.Types.SocketOption(level: .tcp, name: .init(rawValue: 25))

    /// Applies them. To be called on the channel's event loop.
    static func apply(to channel: any Channel) throws {
        guard let options = channel.syncOptions else { return }
        try options.setOption(tcpNoDelay, value: 1)
        try options.setOption(tcpUserTimeout, value: userTimeoutMilliseconds)
        try options.setOption(tcpNotSentLowWater, value: unsentLowWaterMark)
    }
}
