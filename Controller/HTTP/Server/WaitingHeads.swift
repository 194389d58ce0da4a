import NIOCore
import Synchronization

/// Connections that have not sent a request's head yet, by address. Whoever opens very many and says nothing closes their own oldest
/// ones; a request that comes whole is through long before it is the oldest.
final class WaitingHeads: Sendable {
    private let perAddressMax: Int
    /// The oldest first.
    private let channels = Mutex<[String: [any Channel]]>([:])

    init(perAddressMax: Int) { self.perAddressMax = perAddressMax }

    func begin(_ channel: any Channel, of address: String) {
        let oldest = channels.withLock { channels -> (any Channel)? in
            channels[address, default: []].append(channel)
            return channels[address, default: []].count > perAddressMax ? channels[address]?.removeFirst() : nil
        }
        oldest?.close(promise: nil)
    }

    func end(_ channel: any Channel, of address: String) {
        channels.withLock { channels in
            // Most end soon, so that they stand at the end.
            guard let place = channels[address]?.lastIndex(where: { $0 === channel }) else { return }
            channels[address]?.remove(at: place)
            if channels[address]?.isEmpty ?? false { channels[address] = nil }
        }
    }

    /// How many wait.
    var count: Int { channels.withLock { $0.values.reduce(0) { $0 + $1.count } } }
}
