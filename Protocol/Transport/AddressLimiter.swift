import NIOConcurrencyHelpers

/// Counts connections that have not yet shown who they are, for each address and in all.
package final class AddressLimiter: Sendable {
    /// One counted connection. It is given back once, however often ``release()`` is called.
    package final class Ticket: Sendable {
        private let address: String
        private let limiter: NIOLockedValueBox<AddressLimiter?>

        init(_ address: String, _ limiter: AddressLimiter) {
            self.address = address
            self.limiter = NIOLockedValueBox(limiter)
        }

        package func release() {
            let limiter = limiter.withLockedValue { box in
                defer { box = nil }
                return box
            }
            limiter?.leave(address)
        }
    }

    private let perAddressMax: Int
    private let totalMax: Int
    private let counts = NIOLockedValueBox<(byAddress: [String: Int], total: Int)>(([:], 0))

    package init(perAddressMax: Int, totalMax: Int) {
        self.perAddressMax = perAddressMax
        self.totalMax = totalMax
    }

    /// Connections that are counted now.
    package var total: Int { counts.withLockedValue { $0.total } }

    /// Counts one more; `nil` where a limit is reached.
    package func admit(_ address: String) -> Ticket? {
        let admitted = counts.withLockedValue { counts in
            guard counts.total < totalMax, counts.byAddress[address, default: 0] < perAddressMax else { return false }
            counts.byAddress[address, default: 0] += 1
            counts.total += 1
            return true
        }
        return admitted ? Ticket(address, self) : nil
    }

    private func leave(_ address: String) {
        counts.withLockedValue { counts in
            counts.total -= 1
            let left = counts.byAddress[address, default: 1] - 1
            counts.byAddress[address] = left > 0 ? left : nil
        }
    }
}
