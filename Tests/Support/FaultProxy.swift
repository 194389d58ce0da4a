import Foundation

/// A TCP proxy on loopback that hurts what passes through it.
///
/// Each connection has two threads, one for each direction. Faults are changed while bytes flow and take effect within milliseconds.
package final class FaultProxy: @unchecked Sendable {
    package enum Flow: Sendable {
        case forward
        /// Nothing is read, so the sender's kernel notices after a while; nothing is lost, and it can go on.
        case hold
        /// Read and thrown away: the sender believes that it got there.
        case discard
    }

    package struct Direction: Sendable {
        package var flow = Flow.forward
        /// Bytes a second; nil for no limit.
        package var bandwidth: Int?
        package var latency = 0.0
        /// Bytes are passed on in pieces of this size; nil for as they come.
        package var slice: Int?
    }

    package struct Faults: Sendable {
        /// From whom dialled the proxy to the server, and back.
        package var toServer = Direction()
        package var toClient = Direction()
        /// New connections are closed at once.
        package var refuses = false
        /// A connection is reset when so many bytes have gone to the server.
        package var resetAfter: Int?
        /// Like ``resetAfter``, but the connection goes silent both ways.
        package var blackholeAfter: Int?

        package init() {}

        /// Both ways silent, new connections too.
        package static var blackhole: Faults {
            var faults = Faults()
            faults.toServer.flow = .hold
            faults.toClient.flow = .hold
            return faults
        }

        package static var cut: Faults {
            var faults = Faults()
            faults.refuses = true
            return faults
        }
    }

    package let port: Int
    private let target: Int
    private let listener: Int32
    private let lock = NSLock()
    private var current = Faults()
    private var links: [FaultProxyLink] = []
    private var all = 0
    private var resets = 0

    /// - Parameter target: The server's port on loopback.
    package init(target: Int) throws {
        self.target = target
        port = try Sockets.freePort()
        listener = try Sockets.listen(port: port)
        let thread = Thread { [self] in accept() }
        thread.start()
    }

    package var faults: Faults {
        get { lock.withLock { current } }
        set { lock.withLock { current = newValue } }
    }

    /// Connections that were ever made, and those that the proxy reset.
    package var connectionCount: Int { lock.withLock { all } }
    package var resetCount: Int { lock.withLock { resets } }

    /// The newest connection.
    package var newest: FaultProxyLink? { lock.withLock { links.last } }

    /// Resets every connection.
    package func resetAll() { for link in lock.withLock({ links }) { link.reset() } }

    /// Sets the faults and resets what is open.
    package func cut() {
        faults = .cut
        resetAll()
    }

    /// No faults any more. Connections that lost bytes, or were silent, are reset, so that both ends dial again.
    package func heal() {
        faults = Faults()
        resetAll()
    }

    package func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        resetAll()
    }

    func noteReset() { lock.withLock { resets += 1 } }

    private func accept() {
        defer { close(listener) }
        while let client = Sockets.accept(listener) {
            guard !faults.refuses, let server = try? Sockets.connect(port: target, timeout: 3600) else {
                close(client)
                continue
            }
            let link = FaultProxyLink(proxy: self, client: client, server: server)
            lock.withLock {
                links.removeAll { $0.isOver }
                links.append(link)
                all += 1
            }
            link.begin()
        }
    }
}
