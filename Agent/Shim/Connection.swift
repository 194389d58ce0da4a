import AgentShimCore
import CAgentSystem
import Glibc

/// One connection to the shim's socket: an agent's once it has said so, else one from inside the step.
final class Connection {
    /// Unsent bytes above which a connection is given up: its other end does not read.
    private static let pendingBytesMax = 1024 * 1024
    /// Unsent bytes above which progress is not reported: it comes with the next report.
    private static let busyBytes = 4 * 1024

    let descriptor: Int32
    var isAgent = false
    private(set) var isOpen = true
    /// Bytes in the spool when they were last reported here.
    var reported: (bytes: UInt64, dropped: UInt64) = (0, 0)
    private var reader = ShimFrameReader()
    private var pending: [UInt8] = []

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    var wantsToWrite: Bool { !pending.isEmpty }
    var isBusy: Bool { pending.count > Self.busyBytes }

    /// The commands that have come whole. Closes the connection at its end and where something can't be read.
    func receive() -> [ShimCommand] {
        var commands: [ShimCommand] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        // At most one large message a turn.
        for _ in 0..<16 where isOpen {
            let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && (errno == EAGAIN || errno == EINTR) { break }
            guard count > 0 else {
                isOpen = false
                break
            }
            reader.feed(buffer[0..<count])
            do throws(ShimCodecError) {
                while let message = try reader.next() { commands.append(try ShimCodec.command(message)) }
            } catch {
                isOpen = false
            }
        }
        return commands
    }

    func send(_ report: ShimReport) {
        guard isOpen, let bytes = try? ShimCodec.encode(report) else { return }
        pending += bytes
        if pending.count > Self.pendingBytesMax { isOpen = false }
    }

    /// Sends what the other end takes now.
    func flush() {
        while isOpen, !pending.isEmpty {
            let count = pending.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                pending.removeFirst(count)
            } else if errno == EAGAIN {
                return
            } else if errno != EINTR {
                isOpen = false
            }
        }
    }

    func end() {
        isOpen = false
        close(descriptor)
    }
}
