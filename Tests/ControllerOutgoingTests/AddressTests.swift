import AnsFlowTransport
import ControllerCore
import Testing

@testable import ControllerOutgoing

@Suite struct AddressTests {
    @Test(arguments: [
        "127.0.0.1", "127.255.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
        "169.254.169.254", "100.64.0.1", "192.0.0.1", "198.18.0.1", "224.0.0.1", "239.1.1.1", "255.255.255.255",
        "240.0.0.1", "::1", "::", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
        "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "fc00::1", "fd12:3456::1", "fe80::1", "fec0::1",
        "ff02::1", "2002:7f00:1::", "2001:0:1::1", "2001:db8::1", "::127.0.0.1", "100::1", "4000::1",
    ])
    func refused(_ text: String) throws {
        let policy = try AddressPolicy()
        let address = try #require(IPAddress(text))
        guard case .isRefused = policy.verdict(on: address, of: "x.example.org") else {
            Issue.record("\(text) is not refused")
            return
        }
    }

    @Test(arguments: [
        "8.8.8.8", "172.15.255.255", "172.32.0.1", "100.128.0.1", "169.253.1.1", "2606:4700::1111", "2a00:1450::1",
        "::ffff:8.8.8.8", "64:ff9b::808:808", "223.255.255.255",
    ])
    func taken(_ text: String) throws {
        let policy = try AddressPolicy()
        #expect(policy.verdict(on: try #require(IPAddress(text)), of: "x.example.org") == .isPublic)
    }

    @Test func allowing() throws {
        let policy = try AddressPolicy(allowed: ["10.1.0.0/16", "fd00::/8", "Git.Example.org", "192.168.7.7"])
        func verdict(_ text: String, _ host: String = "x.example.org") throws -> AddressPolicy.Verdict {
            policy.verdict(on: try #require(IPAddress(text)), of: host)
        }
        #expect(try verdict("10.1.9.9") == .isAllowed)
        #expect(try verdict("::ffff:10.1.9.9") == .isAllowed)
        #expect(try verdict("fd11::1") == .isAllowed)
        #expect(try verdict("192.168.7.7") == .isAllowed)
        #expect(try verdict("192.168.7.8") == .isRefused("a private network"))
        #expect(try verdict("10.2.0.1") == .isRefused("a private network"))
        #expect(try verdict("10.2.0.1", "git.example.org") == .isAllowed)
        #expect(throws: AddressPolicy.Malformed.self) { try AddressPolicy(allowed: ["10.0.0.0/33"]) }
        #expect(throws: AddressPolicy.Malformed.self) { try AddressPolicy(allowed: ["10.0.0/8"]) }
        #expect(throws: AddressPolicy.Malformed.self) { try AddressPolicy(allowed: [""]) }
    }

    /// Every range, at its first and last address and just outside, against a count by numbers.
    @Test func rangesBitByBit() throws {
        for prefix in 0...32 {
            let range = try #require(AddressRange("172.20.33.129/\(prefix)"))
            let base: UInt32 = 0xAC14_2181
            let mask: UInt32 = prefix == 0 ? 0 : ~UInt32(0) << UInt32(32 - prefix)
            for other in [base & mask, base | ~mask, (base & mask) &- 1, (base | ~mask) &+ 1, 0, .max, base ^ 1] {
                let bytes = [UInt8(other >> 24), UInt8(other >> 16 & 255), UInt8(other >> 8 & 255), UInt8(other & 255)]
                #expect(range.contains(IPAddress(bytes: bytes)) == (other & mask == base & mask))
            }
        }
    }

    @Test(arguments: [
        "ftp://example.org/", "https:/example.org", "https://", "https://user@example.org/",
        "https://a:b@c.example.org",
        "https://exa mple.org/", "https://example.org\\@127.0.0.1/", "https://[::1", "https://[fe80::1%25eth0]/",
        "https://[127.0.0.1]/", "https://example.org:0/", "https://example.org:99999/", "https://example.org:+80/",
        "https://127.1/", "https://2130706433/", "https://0x7f.0x1/", "https://0177.0.0.1/", "https://1.2.3.4.5/",
        "https://ex\u{e4}mple.org/", "https://%31%32%37.0.0.1/", "https://-a.example.org/", "https://a..example.org/",
        "javascript:alert(1)", "//example.org/", "",
    ])
    func malformed(_ text: String) {
        #expect(throws: AddressPolicy.Malformed.self) { try OutgoingURL(text) }
    }

    @Test func urls() throws {
        let url = try OutgoingURL("HTTPS://Example.ORG.:8443/a/b?c=d#e")
        #expect(url.text == "https://example.org:8443/a/b?c=d")
        #expect(try OutgoingURL("http://[::FFFF:127.0.0.1]?x").text == "http://[::ffff:127.0.0.1]:80/?x")
        #expect(try url.following("/x").text == "https://example.org:8443/x")
        #expect(try url.following("x?y").text == "https://example.org:8443/a/x?y")
        #expect(try url.following("//other.example.org/x").text == "https://other.example.org:443/x")
        #expect(throws: AddressPolicy.Malformed.self) { try url.following("file:///etc/passwd") }
        #expect(!url.hasSameOrigin(as: try OutgoingURL("https://example.org/")))
    }
}
