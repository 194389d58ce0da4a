import Glibc
package import Logging
import NIOCore
import NIOPosix

/// A Unix socket in the data directory, through which commands on the same host ask the running controller. Only the directory's
/// owner and root get in: the directory is private, and so is the socket.
package struct ControlSocket: Sendable {
    static let name = "control.sock"

    private let channel: NIOAsyncChannel<NIOAsyncChannel<ByteBuffer, ByteBuffer>, Never>
    private let handler: any ControlHandling
    private let logger: Logger

    /// - Throws: what the system says where it can't be bound.
    package static func bind(
        dataDirectory: String, handler: any ControlHandling, logger: Logger
    ) async throws -> ControlSocket {
        unlink("\(dataDirectory)/\(name)")
        // Through the open directory, since the path of a socket has at most 108 bytes.
        let directory = open(dataDirectory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw FileFailure("opened", dataDirectory) }
        defer { close(directory) }
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 8)
            .bind(unixDomainSocketPath: "/proc/self/fd/\(directory)/\(name)") { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        // Not by umask, which is the whole process's. Until here the directory alone keeps others out.
        guard fchmodat(directory, name, 0o600, 0) == 0 else { throw FileFailure("made private", name) }
        return ControlSocket(channel: channel, handler: handler, logger: logger)
    }

    /// Answers until the task is cancelled.
    package func run() async throws {
        let (handler, logger) = (self.handler, self.logger)
        try await channel.executeThenClose { connections in
            await withDiscardingTaskGroup { group in
                do {
                    for try await connection in connections {
                        group.addTask { await Self.serve(connection, handler, logger) }
                    }
                } catch is CancellationError {
                    return
                } catch {
                    logger.warning("the control socket failed", metadata: ["error": "\(error)"])
                }
            }
        }
    }

    private static func serve(
        _ connection: NIOAsyncChannel<ByteBuffer, ByteBuffer>, _ handler: any ControlHandling, _ logger: Logger
    ) async {
        do {
            try await connection.executeThenClose { inbound, outbound in
                var line: [UInt8] = []
                var pieces = inbound.makeAsyncIterator()
                while !line.contains(0x0A), line.count <= ControlCoding.bytesMax,
                    let piece = try await pieces.next()
                {
                    line += piece.readableBytesView
                }
                guard let end = line.firstIndex(of: 0x0A), end <= ControlCoding.bytesMax else { return }
                let answer: ControlAnswer
                do {
                    let request = try ControlCoding.decode(ControlRequest.self, Array(line[..<end]))
                    answer = try await handler.handle(request)
                } catch {
                    answer = ControlAnswer(ok: false, ["\(error)"])
                }
                try await outbound.write(ByteBuffer(bytes: try ControlCoding.encode(answer)))
                // Who lets go of what comes in before the answer is out, closes.
                withExtendedLifetime(pieces) {}
            }
        } catch {
            logger.debug("a command went away", metadata: ["error": "\(error)"])
        }
    }
}

/// The other end, for commands. Blocks.
package enum ControlClient {
    /// - Returns: nil where no controller listens in this directory.
    package static func ask(_ request: ControlRequest, dataDirectory: String) throws -> ControlAnswer? {
        let directory = open(dataDirectory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { return nil }
        defer { close(directory) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw FileFailure("opened", "a socket") }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array("/proc/self/fd/\(directory)/\(ControlSocket.name)".utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard connected == 0 else {
            if errno == ENOENT || errno == ECONNREFUSED { return nil }
            throw FileFailure("asked", "\(dataDirectory)/\(ControlSocket.name)")
        }
        let line = try ControlCoding.encode(request)
        var done = 0
        while done < line.count {
            let count = line.withUnsafeBytes { bytes in
                bytes.baseAddress.map { send(descriptor, $0 + done, bytes.count - done, Int32(MSG_NOSIGNAL)) } ?? -1
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw FileFailure("asked", "\(dataDirectory)/\(ControlSocket.name)") }
            done += count
        }
        var answer: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(descriptor, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            answer += piece[..<count]
        }
        guard answer.last == 0x0A else { throw FileFailure("heard", "\(dataDirectory)/\(ControlSocket.name)", EPIPE) }
        return try ControlCoding.decode(ControlAnswer.self, answer)
    }
}
