import AnsFlowProtocol
import ControllerCore
import TestSupport
import Testing

@testable import ControllerWebhooks

/// How each kind of sender signs, for tests.
enum Sender {
    static let secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
    static let now: Int64 = 1_800_000_000_000

    /// Headers that sign the body.
    static func headers(
        _ source: WebhookSource, _ body: [UInt8], secret: String = Sender.secret, id: String = "one",
        event: String = "push", at: Int64 = Sender.now
    ) -> [String: String] {
        let code = Signature.sign(body: body, secret: secret)
        let json = ["content-type": "application/json"]
        let own: [String: String] =
            switch source {
            case .github:
                ["x-github-event": event, "x-github-delivery": id, "x-hub-signature-256": "sha256=\(code)"]
            case .gitea: ["x-gitea-event": event, "x-gitea-delivery": id, "x-gitea-signature": code]
            case .bitbucket:
                [
                    "x-event-key": event == "push" ? "repo:push" : event, "x-request-uuid": id,
                    "x-hub-signature": "sha256=\(code)",
                ]
            case .gitlab, .generic:
                [
                    "x-gitlab-event": "Push Hook", "webhook-id": id, "webhook-timestamp": String(at / 1000),
                    "webhook-signature": Signature.signStandard(id: id, seconds: at / 1000, body: body, secret: secret),
                ]
            case .jenkins: ["x-ansflow-token": secret]
            }
        return json.merging(own) { $1 }
    }

    static func request(
        _ source: WebhookSource, _ body: [UInt8], _ headers: [String: String], hook: HookID? = nil,
        at: Int64 = Sender.now
    ) -> WebhookRequest {
        WebhookRequest(source: source, hook: hook, headers: headers, body: body, remote: "192.0.2.1", at: at)
    }
}

@Suite("Signatures") struct SignatureTests {
    private static let body = Array("{\"ref\": \"refs/heads/main\", \"repository\": {\"id\": 4217}}".utf8)

    private func isProven(
        _ source: WebhookSource, _ body: [UInt8], _ headers: [String: String], at: Int64 = Sender.now,
        secrets: [String] = [Sender.secret]
    ) -> Bool {
        Dialects.of(source).proof(of: Sender.request(source, body, headers, at: at), secrets: secrets) != nil
    }

    private static let signatureNames: [WebhookSource: String] = [
        .github: "x-hub-signature-256", .gitea: "x-gitea-signature", .bitbucket: "x-hub-signature",
        .gitlab: "webhook-signature", .generic: "webhook-signature", .jenkins: "x-ansflow-token",
    ]

    @Test("what was signed is taken, with any of the hook's secrets", arguments: WebhookSource.allCases)
    func signed(source: WebhookSource) {
        let headers = Sender.headers(source, Self.body)
        #expect(isProven(source, Self.body, headers))
        #expect(isProven(source, Self.body, headers, secrets: ["another secret of it", Sender.secret]))
        #expect(!isProven(source, Self.body, headers, secrets: ["another secret of it"]))
        #expect(!isProven(source, Self.body, headers, secrets: []))
    }

    @Test("nothing else is", arguments: WebhookSource.allCases) func forged(source: WebhookSource) throws {
        let headers = Sender.headers(source, Self.body)
        let name = try #require(Self.signatureNames[source])
        let right = try #require(headers[name])
        var without = headers
        without[name] = nil
        #expect(!isProven(source, Self.body, without), "none")
        for (what, value) in [
            ("truncated", String(right.dropLast())), ("longer", right + "0"), ("upper case", right.uppercased()),
            ("empty", ""), ("blank", " "),
            ("wrong", Sender.headers(source, Self.body, secret: "quite another secret")[name] ?? ""),
        ] {
            var changed = headers
            changed[name] = value
            #expect(!isProven(source, Self.body, changed), "\(what)")
        }
        without["x-hub-signature"] = "sha1=" + String(repeating: "a", count: 40)
        #expect(!isProven(source, Self.body, without), "SHA-1 only")
        // A token says nothing about the body; everything else is broken by serialising it anew.
        guard source != .jenkins else { return }
        let again = Array("{\"ref\":\"refs/heads/main\",\"repository\":{\"id\":4217}}".utf8)
        #expect(!isProven(source, again, headers), "serialised anew")
    }

    @Test("every flipped bit of body and signature shows", arguments: WebhookSource.allCases)
    func flipped(source: WebhookSource) throws {
        let headers = Sender.headers(source, Self.body)
        let name = try #require(Self.signatureNames[source])
        if source != .jenkins {
            for bit in 0..<Self.body.count * 8 {
                var body = Self.body
                body[bit / 8] ^= 1 << (bit % 8)
                #expect(!isProven(source, body, headers))
            }
        }
        let right = Array(try #require(headers[name]).utf8)
        for bit in 0..<right.count * 8 where bit % 8 < 7 {
            var wrong = right
            wrong[bit / 8] ^= 1 << (bit % 8)
            guard let text = String(validating: wrong, as: UTF8.self) else { continue }
            var changed = headers
            changed[name] = text
            // In base 64 the last digit before `=` has bits that mean nothing; a reader may ignore them.
            if source == .gitlab || source == .generic, bit / 8 >= right.count - 2 { continue }
            #expect(!isProven(source, Self.body, changed), "\(text)")
        }
    }

    @Test("a signed time is near, a signed id can't be changed", arguments: [WebhookSource.gitlab, .generic])
    func times(source: WebhookSource) {
        let headers = Sender.headers(source, Self.body)
        for (off, isFine) in [(299_000, true), (-299_000, true), (302_000, false), (-302_000, false)] as [(Int64, Bool)]
        {
            #expect(isProven(source, Self.body, headers, at: Sender.now + off) == isFine, "\(off)")
        }
        var other = headers
        other["webhook-id"] = "two"
        #expect(!isProven(source, Self.body, other))
        other = headers
        other["webhook-timestamp"] = "1800000001"
        #expect(!isProven(source, Self.body, other))
        other = headers
        other["webhook-signature"] = "v1,AAAA v1a,xyz \(headers["webhook-signature"] ?? "")"
        #expect(isProven(source, Self.body, other), "one of several is enough, for changing keys")
    }

    @Test("a wrong signature is not helped by what else is right") func precedence() {
        var gitlab = Sender.headers(.gitlab, Self.body)
        gitlab["x-gitlab-token"] = Sender.secret
        gitlab["webhook-signature"] = "v1,AAAA"
        #expect(!isProven(.gitlab, Self.body, gitlab))
        #expect(isProven(.gitlab, Self.body, ["x-gitlab-token": Sender.secret]))
        #expect(!isProven(.gitlab, Self.body, ["x-gitlab-token": Sender.secret + "x"]))
        var gitea = Sender.headers(.gitea, Self.body)
        gitea["x-forgejo-signature"] = String(repeating: "0", count: 64)
        #expect(!isProven(.gitea, Self.body, gitea))
        gitea["x-forgejo-signature"] = gitea["x-gitea-signature"]
        gitea["x-gitea-signature"] = "wrong"
        #expect(isProven(.gitea, Self.body, gitea))
    }

    @Test("the generic address takes GitHub's scheme too") func genericBody() {
        let headers = ["x-hub-signature-256": "sha256=" + Signature.sign(body: Self.body, secret: Sender.secret)]
        let request = Sender.request(.generic, Self.body, headers)
        #expect(Dialects.of(.generic).proof(of: request, secrets: [Sender.secret])?.copies == .byBody)
    }

    @Test("random headers and bodies prove nothing and break nothing") func fuzz() {
        var random = SystemRandomNumberGenerator()
        let names = [
            "x-hub-signature-256", "x-hub-signature", "x-gitea-signature", "x-forgejo-signature", "webhook-signature",
            "webhook-id", "webhook-timestamp", "x-gitlab-token", "x-ansflow-token", "content-type",
        ]
        for _ in 0..<2_000 {
            var headers: [String: String] = [:]
            for name in names where Bool.random(using: &random) {
                let bytes = (0..<Int.random(in: 0...80, using: &random)).map { _ in
                    UInt8.random(in: 32...126, using: &random)
                }
                headers[name] =
                    ["sha256=", "v1,", ""].randomElement(using: &random)! + String(decoding: bytes, as: UTF8.self)
            }
            let body = (0..<Int.random(in: 0...60, using: &random)).map { _ in
                Array("{}[]\":,0129.eE+-truefalsn\\u \u{FF}".utf8).randomElement(using: &random)!
            }
            for source in WebhookSource.allCases {
                #expect(!isProven(source, body, headers))
                _ = JSONReader.scalar(at: Dialects.of(source).repositoryPaths, in: body)
            }
            if let value = try? JSONReader.read(body) { _ = Payload.trimmed(value) }
        }
    }
}
