import Glibc
import Synchronization

/// Blocking TCP sockets on loopback.
package enum Sockets {
    /// Ports for servers come from below the range that outgoing connections take, so that a server that is started again finds its
    /// port free.
    private static let nextPort = Mutex(20_000 + Int(getpid()) % 600 * 20)

    /// Held while a process is started and while a descriptor is not yet marked to be closed in it.
    static let spawnLock = Mutex(())

    /// Waits for the next connection; nil when the listener was shut down.
    static func accept(_ listener: Int32) -> Int32? {
        while true {
            var interest = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
            guard poll(&interest, 1, 1000) > 0 else { continue }
            if interest.revents & Int16(POLLHUP) != 0 { return nil }
            let descriptor = spawnLock.withLock { _ in
                let descriptor = Glibc.accept(listener, nil, nil)
                if descriptor >= 0 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
                return descriptor
            }
            if descriptor >= 0 { return descriptor }
        }
    }

    package static func freePort() throws -> Int {
        for _ in 0..<12_000 {
            let port = nextPort.withLock { next in
                next = next >= 32_000 ? 20_000 : next + 1
                return next
            }
            if let socket = try? listen(port: port) {
                close(socket)
                return port
            }
        }
        throw TestFailure("There is no free port from 20000 to 32000.")
    }

    static func address(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    static func listen(port: Int) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        var address = address(port)
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard bound == 0, Glibc.listen(descriptor, 64) == 0 else {
            close(descriptor)
            throw TestFailure("Port \(port) can't be listened on: errno \(errno).")
        }
        return descriptor
    }

    /// - Parameters:
    ///   - receiveBuffer: Bytes that the kernel keeps unread; 0 for its default.
    ///   - timeout: Seconds that one read or write may block.
    package static func connect(port: Int, receiveBuffer: Int32 = 0, timeout: Int = 60) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        if receiveBuffer > 0 {
            var size = receiveBuffer
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        var limit = timeval(tv_sec: timeout, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        var address = address(port)
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else {
            let reason = errno
            close(descriptor)
            throw TestFailure("Port \(port) can't be reached: errno \(reason).")
        }
        return descriptor
    }

    package static func write(_ descriptor: Int32, _ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { raw in
                send(descriptor, raw.baseAddress! + sent, raw.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw TestFailure("A connection could not be written to: errno \(errno).") }
            sent += count
        }
    }

    /// The next bytes; empty at the end.
    package static func read(_ descriptor: Int32, max: Int = 256 * 1024) throws -> [UInt8] {
        while true {
            var failed: Int32 = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: max) { buffer, count in
                let got = recv(descriptor, buffer.baseAddress, max, 0)
                failed = got < 0 ? errno : 0
                count = Swift.max(0, got)
            }
            if failed == EINTR { continue }
            if failed != 0 { throw TestFailure("A connection could not be read: errno \(failed).") }
            return bytes
        }
    }
}
