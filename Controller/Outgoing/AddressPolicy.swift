package import AnsFlowTransport

/// Which addresses requests may go to. Everything that is not a public address is refused unless the operator allowed it.
package struct AddressPolicy: Sendable {
    /// Why a word of the setting is none. The text is a sentence.
    package struct Malformed: Error, Equatable, Sendable, CustomStringConvertible {
        package var description: String
    }

    package enum Verdict: Equatable, Sendable {
        case isPublic
        /// The operator said so.
        case isAllowed
        /// What it is, as in "10.0.0.7 is a private network".
        case isRefused(String)
    }

    private var ranges: [AddressRange] = []
    private var hosts: Set<String> = []

    /// - Parameter allowed: Ranges such as `10.1.0.0/16`, addresses, or names of hosts.
    package init(allowed: [String] = []) throws(Malformed) {
        for text in allowed {
            if let range = AddressRange(text) {
                ranges.append(range)
            } else if !text.contains("/"), let host = OutgoingURL.name(text) {
                hosts.insert(host)
            } else {
                throw Malformed(
                    description:
                        "`\(text)` is neither an address, nor a range such as 10.1.0.0/16, nor the name of a host.")
            }
        }
    }

    /// - Parameter host: The name that led to the address, in lower case; an address where none did.
    package func verdict(on address: IPAddress, of host: String) -> Verdict {
        let meant = address.embedded ?? address
        if hosts.contains(host) || ranges.contains(where: { $0.contains(meant) || $0.contains(address) }) {
            return .isAllowed
        }
        for (range, what) in AddressRange.special where range.contains(meant) { return .isRefused(what) }
        guard meant.isV4 || AddressRange.globalV6.contains(meant) else { return .isRefused("no public address") }
        return .isPublic
    }

    /// Whether all of a name's addresses may be used: one that may not spoils the others, since whoever can add it is not to be trusted
    /// with the rest.
    func check(_ addresses: [IPAddress], of url: OutgoingURL) throws(OutgoingRefusal) {
        var allAllowed = true
        for address in addresses {
            switch verdict(on: address, of: url.host) {
            case .isAllowed: break
            case .isPublic: allAllowed = false
            case .isRefused(let what):
                let name = url.address == nil ? "\(url.host) has the address \(address), which is" : "\(address) is"
                throw OutgoingRefusal(
                    "\(name) \(what). If it is meant to be reached, the operator can allow it with --outgoing-allow.")
            }
        }
        guard url.isTLS || allAllowed else {
            throw OutgoingRefusal(
                "\(url.host) is to be reached without TLS. Use https, or let the operator allow the host with "
                    + "--outgoing-allow.")
        }
    }
}

/// Why an address is not used: a full sentence.
struct OutgoingRefusal: Error, Equatable {
    var text: String
    init(_ text: String) { self.text = text }
}
