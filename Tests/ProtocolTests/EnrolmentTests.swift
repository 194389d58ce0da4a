import AnsFlowProtocol
import Testing

struct EnrolmentTests {
    private static let secret = "abcDEF0123456789-_"
    private static let fingerprint = String(repeating: "0f", count: 32)

    @Test func tokensAreReadBack() throws {
        let token = EnrolToken(secret: Self.secret, authorityFingerprint: Self.fingerprint)
        #expect(EnrolToken(parsing: token.text) == token)
        #expect(EnrolToken(parsing: "  \(token.text)\n") == token)
    }

    @Test(arguments: [
        "", ".", "short.\(fingerprint)", "\(secret)", "\(secret).", "\(secret).\(fingerprint).x",
        "\(secret).\(fingerprint.uppercased())", "\(secret).\(fingerprint)0", "\(secret) x.\(fingerprint)",
        "\(secret)/../.\(fingerprint)", String(repeating: "a", count: 10_000),
    ])
    func otherTextsAreNotTokens(_ text: String) {
        #expect(EnrolToken(parsing: text) == nil)
    }

    private func accepts(_ change: (inout EnrolRequest) -> Void) -> Bool {
        var request = EnrolRequest(token: nil, csr: "x", name: "n", labels: [:], slots: 1)
        change(&request)
        guard let bytes = try? WireCodec.encode(request) else { return false }
        return (try? WireCodec.decodeEnrolRequest(bytes)) == request
    }

    @Test func requestsAreBounded() {
        #expect(accepts { _ in })
        for (name, good) in [
            ("build-1.example_x", true), ("", false), ("a b", false), ("a/b", false), ("\u{e4}", false),
            (String(repeating: "n", count: 64), true), (String(repeating: "n", count: 65), false),
        ] { #expect(accepts { $0.name = name } == good, "\(name)") }
        for (slots, good) in [(0, false), (1, true), (256, true), (257, false), (-1, false)] {
            #expect(accepts { $0.slots = slots } == good, "\(slots)")
        }
        for (count, good) in [(64, true), (65, false)] {
            #expect(accepts { $0.labels = Dictionary(uniqueKeysWithValues: (0..<count).map { ("\($0)", "") }) } == good)
        }
        for (length, good) in [(8 * 1024, true), (8 * 1024 + 1, false), (800 * 1024, false)] {
            #expect(accepts { $0.csr = String(repeating: "x", count: length) } == good, "\(length)")
        }
        for (length, good) in [(256, true), (257, false)] {
            #expect(accepts { $0.token = String(repeating: "x", count: length) } == good, "\(length)")
        }
    }
}
