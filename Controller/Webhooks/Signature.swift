package import ControllerCore
import Crypto
import FoundationEssentials

/// How a sender shows that it is who it says: checks over the raw bytes, in constant time.
package enum Signature {
    /// How it was shown, and what follows for copies.
    package struct Proof: Equatable, Sendable {
        /// For people.
        package var kind: String
        /// The sender's id of the delivery; `nil` where it gives none.
        package var delivery: String?
        package var copies: CopyRule
    }

    /// `sha256=` and 64 digits, or the digits alone, over the body.
    static func isValid(hex signature: String, prefix: String, body: [UInt8], secrets: [String]) -> Bool {
        guard signature.hasPrefix(prefix), let code = Hex.lowerCaseBytes(signature.dropFirst(prefix.count)),
            code.count == 32
        else { return false }
        return secrets.contains { secret in
            HMAC<SHA256>.isValidAuthenticationCode(
                code, authenticating: body, using: SymmetricKey(data: Array(secret.utf8)))
        }
    }

    /// Standard Webhooks: `v1,` and base 64, several with blanks between, over `id.time.body`.
    ///
    /// - Returns: the id, where one signature is right and the time is near enough.
    static func standard(
        _ headers: [String: String], body: [UInt8], secrets: [String], now: Int64
    ) -> String? {
        guard let id = headers["webhook-id"], !id.isEmpty, let time = headers["webhook-timestamp"],
            let seconds = Int64(time), let signatures = headers["webhook-signature"],
            abs(now / 1000 - seconds) <= WebhookLimits.clockToleranceMs / 1000
        else { return nil }
        let signed = Array("\(id).\(time).".utf8) + body
        for signature in signatures.split(separator: " ").prefix(WebhookLimits.secretsMax) {
            guard signature.hasPrefix("v1,"), let code = Data(base64Encoded: String(signature.dropFirst(3))),
                code.count == 32
            else { continue }
            for secret in secrets {
                if HMAC<SHA256>.isValidAuthenticationCode(
                    code, authenticating: signed, using: SymmetricKey(data: key(secret)))
                {
                    return id
                }
            }
        }
        return nil
    }

    /// Whether a token that was sent is one of the secrets. Hashes are compared, so that neither length nor content shows in the time.
    static func isToken(_ token: String, _ secrets: [String]) -> Bool {
        let given = Array(SHA256.hash(data: Array(token.utf8)))
        var isOne = false
        for secret in secrets {
            let known = Array(SHA256.hash(data: Array(secret.utf8)))
            var difference: UInt8 = 0
            for index in 0..<32 { difference |= given[index] ^ known[index] }
            isOne = difference == 0 || isOne
        }
        return isOne
    }

    /// A secret of the form `whsec_…` stands for the bytes behind it.
    private static func key(_ secret: String) -> [UInt8] {
        guard secret.hasPrefix("whsec_"), let bytes = Data(base64Encoded: String(secret.dropFirst(6))) else {
            return Array(secret.utf8)
        }
        return Array(bytes)
    }

    static func hash(_ body: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: body)) }

    // MARK: Signing, for tests and for trying a hook out

    package static func sign(body: [UInt8], secret: String) -> String {
        Hex.text(HMAC<SHA256>.authenticationCode(for: body, using: SymmetricKey(data: Array(secret.utf8))))
    }

    /// The value of `webhook-signature`.
    package static func signStandard(id: String, seconds: Int64, body: [UInt8], secret: String) -> String {
        let code = HMAC<SHA256>.authenticationCode(
            for: Array("\(id).\(seconds).".utf8) + body, using: SymmetricKey(data: key(secret)))
        return "v1," + Data(code).base64EncodedString()
    }
}
