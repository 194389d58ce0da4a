import AnsFlowTransport

extension AddressRange {
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
