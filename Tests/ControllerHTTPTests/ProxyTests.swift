import AnsFlowTransport
import HTTPTypes
import Testing

@testable import ControllerHTTP

@Suite struct ProxyTests {
    private static let proxies = TrustedProxies(["10.0.0.0/8", "fd00::/8"].compactMap { AddressRange($0) })

    @Test(arguments: [
        // peer, header fields, client
        ("203.0.113.1", ["198.51.100.7"], "203.0.113.1"), ("10.1.2.3", [], "10.1.2.3"),
        ("10.1.2.3", ["198.51.100.7"], "198.51.100.7"), ("::ffff:10.1.2.3", ["198.51.100.7"], "198.51.100.7"),
        ("10.1.2.3", ["192.0.2.1, 198.51.100.7, 10.9.9.9"], "198.51.100.7"),
        ("10.1.2.3", ["192.0.2.1", "198.51.100.7"], "198.51.100.7"),
        ("10.1.2.3", ["192.0.2.1, unknown"], "10.1.2.3"), ("10.1.2.3", ["198.51.100.7:4711"], "198.51.100.7"),
        ("fd00::1", ["[2001:db8::7]:443"], "2001:db8::7"), ("10.1.2.3", ["10.4.4.4, 10.5.5.5"], "10.4.4.4"),
        ("10.1.2.3", [String(repeating: "1", count: 5000)], "10.1.2.3"),
    ])
    func theClientIsTheLastHopThatIsNoProxy(peer: String, fields: [String], client: String) {
        var headers = HTTPFields()
        for field in fields { headers.append(HTTPField(name: .xForwardedFor, value: field)) }
        #expect(Self.proxies.client(peer: peer, headers) == client)
        #expect(TrustedProxies().client(peer: peer, headers) == peer)
    }

    @Test func aLongChainOfProxiesEnds() {
        var headers = HTTPFields()
        headers.append(
            HTTPField(
                name: .xForwardedFor, value: "192.0.2.1," + String(repeating: "10.0.0.1,", count: 200) + "10.0.0.2"))
        #expect(Self.proxies.client(peer: "10.1.2.3", headers) == "10.0.0.1")
    }

    @Test func plainHTTPIsForTheProxiesAndThisHost() {
        func isStranger(_ remote: String, isTLS: Bool = false, _ proxies: TrustedProxies = Self.proxies) -> Bool {
            ConnectionContext(remote: remote, isTLS: isTLS, proxies: proxies).isStranger
        }
        #expect(isStranger("203.0.113.1") && !isStranger("10.2.3.4") && !isStranger("127.0.0.1"))
        #expect(!isStranger("203.0.113.1", isTLS: true) && !isStranger("127.0.0.1", TrustedProxies()))
    }

    /// Whoever has one address of an IPv6 network has all of them.
    @Test func addressesOfOneNetworkCountAsOne() {
        #expect(RateLimits.addressKey("2001:db8::1") == RateLimits.addressKey("2001:db8::2:3:4:5"))
        #expect(RateLimits.addressKey("2001:db8::1") != RateLimits.addressKey("2001:db8:0:1::1"))
        #expect(RateLimits.addressKey("::ffff:192.0.2.7") == RateLimits.addressKey("192.0.2.7"))
        #expect(RateLimits.addressKey("192.0.2.7") != RateLimits.addressKey("192.0.2.8"))
    }
}
