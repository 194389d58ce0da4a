import CAgentSystem
import Glibc
package import NIOCore
import NIOPosix

/// The socket in the data directory through which `ansflow-agent drain` and `status` speak to the running agent.
///
/// A request is one line; the answer is one line, and after `drain` the connection stays until the agent leaves.
package enum ControlSocket {
    private static let lineBytesMax = 256

    /// Listens. The socket is readable by its owner only.
    ///
    /// - Parameter answer: Called on the loop with the request.
    package static func listen(
        _ paths: AgentPaths, loop: any EventLoop, answer: @escaping @Sendable (String) -> String
    ) async throws -> any Channel {
        let directory = open(paths.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { if directory >= 0 { close(directory) } }
        let descriptor = directory < 0 ? -errno : ansflow_unix_listen(directory, "control.sock")
        guard descriptor >= 0 else { throw FileFailure("Can't make", paths.controlSocket, -descriptor) }
        return try await ServerBootstrap(group: loop)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ControlHandler(answer))
                }
            }
            .withBoundSocket(descriptor).get()
    }

    /// Asks the agent that runs in `paths`. Blocks.
    ///
    /// - Parameter untilEnd: Whether to wait until the agent closes the connection.
    /// - Throws: Where no agent runs there.
    package static func ask(_ request: String, _ paths: AgentPaths, untilEnd: Bool) throws(FileFailure) -> String {
        let descriptor = ansflow_unix_connect(paths.root, "control.sock")
        guard descriptor >= 0 else {
            var failure = FileFailure("Can't reach", paths.controlSocket, -descriptor)
            failure.description = "No agent runs in \(paths.root)."
            throw failure
        }
        defer { close(descriptor) }
        let failed = Files.writeAll(descriptor, Array("\(request)\n".utf8))
        guard failed == 0 else { throw FileFailure("Can't write to", paths.controlSocket, failed) }
        var answer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while answer.count < 4 << 20 {
            let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { break }
            answer.append(contentsOf: chunk[0..<count])
            if !untilEnd, answer.last == UInt8(ascii: "\n") { break }
        }
        return String(decoding: answer, as: UTF8.self)
    }

    private final class ControlHandler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private var line: [UInt8] = []
        private let answer: @Sendable (String) -> String

        init(_ answer: @escaping @Sendable (String) -> String) { self.answer = answer }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            for byte in unwrapInboundIn(data).readableBytesView {
                if byte == UInt8(ascii: "\n") {
                    let reply = answer(String(decoding: line, as: UTF8.self))
                    context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "\(reply)\n")), promise: nil)
                    line = []
                } else if line.count < ControlSocket.lineBytesMax {
                    line.append(byte)
                } else {
                    return context.close(promise: nil)
                }
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
