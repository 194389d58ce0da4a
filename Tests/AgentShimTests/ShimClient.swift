import AgentShimCore
import Glibc

/// The other end of a shim's socket.
final class ShimClient {
    private let descriptor: Int32
    private var reader = ShimFrameReader()
    private var isOpen = true

    init(_ directory: String) throws {
        let folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw TestFailure("\(directory) can't be opened: errno \(errno)") }
        defer { Glibc.close(folder) }
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array("/proc/self/fd/\(folder)/sock".utf8)) }
        let failed = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard failed == 0 else {
            let error = errno
            Glibc.close(descriptor)
            isOpen = false
            throw TestFailure("the shim does not answer: errno \(error)")
        }
    }

    deinit { close() }

    func close() {
        if isOpen { Glibc.close(descriptor) }
        isOpen = false
    }

    func send(_ command: ShimCommand) {
        guard let bytes = try? ShimCodec.encode(command) else { return }
        send(bytes)
    }

    func send(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
    }

    /// Becomes an agent's connection; the state that is answered.
    @discardableResult
    func attach() throws -> ShimState {
        send(.attach(version: ShimLimits.version))
        let report = try next { if case .state = $0 { true } else { false } }
        guard case .state(let state) = report else { throw TestFailure("no state") }
        return state
    }

    /// The next report that `matches`; others are passed over.
    func next(within seconds: Double = 20, _ matches: (ShimReport) -> Bool) throws -> ShimReport {
        let end = ContinuousClock.now + .seconds(seconds)
        while true {
            while let message = try reader.next() {
                let report = try ShimCodec.report(message)
                if matches(report) { return report }
            }
            let left = end - ContinuousClock.now
            guard left > .zero else { throw TestFailure("the shim did not report within \(seconds) s") }
            guard receive(timeoutMs: Int32(left / .milliseconds(1)) + 1) else {
                throw TestFailure("the shim closed the connection")
            }
        }
    }

    /// Whether the shim closes the connection within some seconds.
    func waitClosed() -> Bool {
        let end = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < end {
            if !receive(timeoutMs: 1_000) { return true }
        }
        return false
    }

    /// False at the end of the connection.
    private func receive(timeoutMs: Int32) -> Bool {
        var interest = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&interest, 1, timeoutMs) > 0 else { return true }
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        guard count > 0 else { return false }
        reader.feed(buffer[0..<count])
        return true
    }
}
