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

    private init(known text: String) {
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

    static let mapped = AddressRange(known: "::ffff:0:0/96")
    static let nat64 = AddressRange(known: "64:ff9b::/96")
    /// What IPv6 has given out for use by everybody.
    static let globalV6 = AddressRange(known: "2000::/3")

    /// What no stranger's address may lead to, after IANA's special-purpose registries, with what it is.
    static let special: [(range: AddressRange, what: String)] = [
        ("0.0.0.0/8", "this host"), ("10.0.0.0/8", "a private network"), ("100.64.0.0/10", "a provider's own network"),
        ("127.0.0.0/8", "this host"), ("169.254.0.0/16", "a link-local address, as of a cloud's metadata"),
        ("172.16.0.0/12", "a private network"), ("192.0.0.0/24", "reserved"), ("192.0.2.0/24", "for documentation"),
        ("192.88.99.0/24", "reserved"), ("192.168.0.0/16", "a private network"),
        ("198.18.0.0/15", "for measurements"), ("198.51.100.0/24", "for documentation"),
        ("203.0.113.0/24", "for documentation"), ("224.0.0.0/4", "multicast"), ("240.0.0.0/4", "reserved"),
        ("::1/128", "this host"), ("::/128", "this host"), ("fc00::/7", "a private network"),
        ("fe80::/10", "a link-local address"), ("fec0::/10", "a private network"), ("ff00::/8", "multicast"),
        ("64:ff9b:1::/48", "a translator of private addresses"), ("2001::/23", "reserved"),
        ("2001:db8::/32", "for documentation"), ("2002::/16", "a tunnel to another address"),
        ("3fff::/20", "for documentation"),
    ].map { (AddressRange(known: $0.0), $0.1) }
}
