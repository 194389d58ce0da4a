import Glibc

/// An IPv4 or IPv6 address as its bytes.
package struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    /// 4 or 16, in network order.
    package let bytes: [UInt8]

    package init(bytes: [UInt8]) {
        precondition(bytes.count == 4 || bytes.count == 16, "An address has 4 or 16 bytes.")
        self.bytes = bytes
    }

    /// Reads `192.0.2.7` or `2001:db8::7`, in no other form: no zone, no short or octal parts.
    package init?(_ text: String) {
        guard !text.utf8.contains(0) else { return nil }
        var storage = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &storage) == 1 {
            bytes = Array(storage.prefix(4))
        } else if inet_pton(AF_INET6, text, &storage) == 1 {
            bytes = storage
        } else {
            return nil
        }
    }

    package var isV4: Bool { bytes.count == 4 }

    /// The IPv4 address that this one stands for: IPv4-mapped (RFC 4291 section 2.5.5.2) and NAT64's well-known prefix (RFC 6052).
    package var embedded: IPAddress? {
        for prefix in [AddressRange.mapped, AddressRange.nat64] where prefix.contains(self) {
            return IPAddress(bytes: Array(bytes.suffix(4)))
        }
        return nil
    }

    /// Whose address it is: the first 64 bits of an IPv6 address, since one party holds all that begin with them; an IPv4 address whole.
    package var network: IPAddress {
        let meant = embedded ?? self
        return meant.isV4 ? meant : IPAddress(bytes: meant.bytes.prefix(8) + [UInt8](repeating: 0, count: 8))
    }

    package var description: String {
        var storage = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        inet_ntop(isV4 ? AF_INET : AF_INET6, bytes, &storage, socklen_t(storage.count))
        return String(decoding: storage.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// The addresses that begin with the same bits.
package struct AddressRange: Hashable, Sendable {
    package let base: IPAddress
    package let prefix: Int

    /// Reads `10.0.0.0/8`, or one address.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let base = IPAddress(String(parts[0])) else { return nil }
        let bits = base.bytes.count * 8
        self.base = base
        guard parts.count == 2 else {
            prefix = bits
            return
        }
        guard let prefix = Int(parts[1]), (0...bits).contains(prefix), String(prefix) == parts[1] else { return nil }
        self.prefix = prefix
    }

    /// - Precondition: `text` is a range; for literals of ours.
    package init(known text: String) {
        guard let range = AddressRange(text) else { preconditionFailure("\(text) is no range of addresses.") }
        self = range
    }

    package func contains(_ address: IPAddress) -> Bool {
        guard address.bytes.count == base.bytes.count else { return false }
        for index in 0..<(prefix + 7) / 8 {
            let bits = min(8, prefix - index * 8)
            let mask = UInt8(truncatingIfNeeded: 0xFF00 >> bits)
            guard (address.bytes[index] ^ base.bytes[index]) & mask == 0 else { return false }
        }
        return true
    }

    package static let mapped = AddressRange(known: "::ffff:0:0/96")
    package static let nat64 = AddressRange(known: "64:ff9b::/96")
}
