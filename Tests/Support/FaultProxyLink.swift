import Foundation

/// One connection through a ``FaultProxy``.
package final class FaultProxyLink: @unchecked Sendable {
    private enum Side { case client, server }

    private weak var proxy: FaultProxy?
    private let client: Int32
    private let server: Int32
    private let lock = NSLock()
    private var pumps = 2
    private var isReset = false
    private var goneSilent = false
    private var sent = (toServer: 0, toClient: 0)
    private var closed: (client: Double?, server: Double?) = (nil, nil)

    init(proxy: FaultProxy, client: Int32, server: Int32) {
        self.proxy = proxy
        self.client = client
        self.server = server
        for descriptor in [client, server] {
            var on: Int32 = 1
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    func begin() {
        for side in [Side.client, .server] {
            let thread = Thread { [self] in pump(from: side) }
            thread.start()
        }
    }

    var isOver: Bool { lock.withLock { pumps == 0 } }
    package var bytesToServer: Int { lock.withLock { sent.toServer } }
    package var bytesToClient: Int { lock.withLock { sent.toClient } }

    /// When each end was seen to close its connection, by ``Clock``.
    package var clientClosedAt: Double? { lock.withLock { closed.client } }
    package var serverClosedAt: Double? { lock.withLock { closed.server } }

    /// Ends both halves with a reset: what is under way is lost.
    package func reset() {
        lock.withLock {
            guard pumps > 0, !isReset else { return }
            isReset = true
            var linger = linger(l_onoff: 1, l_linger: 0)
            for descriptor in [client, server] {
                setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
            }
        }
    }

    private var isDone: Bool { lock.withLock { isReset } }

    private func pump(from side: Side) {
        let (source, destination) = side == .client ? (client, server) : (server, client)
        while !isDone, let proxy {
            let events = poll(source, reads: rules(proxy.faults, side).flow != .hold)
            if events.gone { note(side) }
            // What comes behind a change is under the new rules, also where it was waited for under the old ones.
            let faults = proxy.faults
            let direction = rules(faults, side)
            // While silent, a close is not passed on either.
            guard direction.flow != .hold, events.readable else { continue }
            var limit = direction.slice ?? 64 * 1024
            if let bandwidth = direction.bandwidth { limit = min(limit, max(1, bandwidth / 20)) }
            guard let bytes = try? Sockets.read(source, max: limit), !bytes.isEmpty else {
                note(side)
                if direction.flow == .discard { continue }
                shutdown(destination, Int32(SHUT_WR))
                break
            }
            if direction.flow == .discard { continue }
            if direction.latency > 0 { Clock.pause(direction.latency) }
            if let bandwidth = direction.bandwidth { Clock.pause(Double(bytes.count) / Double(bandwidth)) }
            guard (try? Sockets.write(destination, bytes)) != nil else { break }
            count(bytes.count, side, faults)
        }
        finish()
    }

    private func rules(_ faults: FaultProxy.Faults, _ side: Side) -> FaultProxy.Direction {
        var direction = side == .client ? faults.toServer : faults.toClient
        if lock.withLock({ goneSilent }) { direction.flow = .hold }
        return direction
    }

    private func poll(_ descriptor: Int32, reads: Bool) -> (readable: Bool, gone: Bool) {
        let hangUp = Int16(0x2000)
        var interest = pollfd(fd: descriptor, events: hangUp | (reads ? Int16(POLLIN) : 0), revents: 0)
        let count = Glibc.poll(&interest, 1, 20)
        guard count > 0 else { return (false, false) }
        let gone = interest.revents & (hangUp | Int16(POLLHUP) | Int16(POLLERR)) != 0
        // A closed end stays ready for ever.
        if gone, !reads { usleep(20_000) }
        return (interest.revents & Int16(POLLIN) != 0 || gone, gone)
    }

    private func note(_ side: Side) {
        lock.withLock {
            if side == .client, closed.client == nil { closed.client = Clock.seconds }
            if side == .server, closed.server == nil { closed.server = Clock.seconds }
        }
    }

    private func count(_ bytes: Int, _ side: Side, _ faults: FaultProxy.Faults) {
        let total = lock.withLock {
            if side == .client { sent.toServer += bytes } else { sent.toClient += bytes }
            return sent.toServer
        }
        if let most = faults.resetAfter, total >= most, !isDone {
            proxy?.noteReset()
            reset()
        }
        if let most = faults.blackholeAfter, total >= most { lock.withLock { goneSilent = true } }
    }

    private func finish() {
        let last = lock.withLock {
            pumps -= 1
            return pumps == 0
        }
        if last {
            close(client)
            close(server)
        }
    }
}
