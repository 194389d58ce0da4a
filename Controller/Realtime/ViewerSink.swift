package import NIOCore

/// A viewer's socket. Everything but `eventLoop` is used on that event loop alone.
package protocol ViewerSink: AnyObject, Sendable {
    var eventLoop: any EventLoop { get }
    /// False while more than ``RealtimeLimits/viewerBytesMax`` wait for the socket.
    var isWritable: Bool { get }
    /// Takes a whole WebSocket frame; it goes out with the next ``flush()``.
    func write(_ frame: ByteBuffer)
    func flush()
    /// ``write(_:)`` and ``flush()`` at once.
    func writeAndFlush(_ frame: ByteBuffer)
    /// Sends a ping behind everything that was written, and flushes. Its pong goes to ``Viewer/ponged(_:)`` with the same number.
    func ping(_ number: UInt64)
}

extension ViewerSink {
    package func writeAndFlush(_ frame: ByteBuffer) {
        write(frame)
        flush()
    }
}

package enum RealtimeLimits {
    /// What may wait for one viewer's socket, and again for one subscription that is still catching up.
    package static let viewerBytesMax = 256 * 1024
    package static let topicsPerViewerMax = 64
    /// A viewer of a live log that is less behind waits for its lines, however long that takes.
    static let linesBehindMax: UInt64 = 2000
    static let eventsPerRead = 500
    static let linesPerRead = 1000
    /// Lines that go to a slow viewer in one message: what comes between waits for one of these at most.
    static let pieceBytesMax = 16 * 1024
    /// What a line takes in a message, to guess how many fit.
    static let lineBytesUsual = 160
    /// A viewer that is further behind gets a snapshot.
    static let eventsBehindMax: Int64 = 20_000
}
