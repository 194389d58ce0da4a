import Crypto

/// Signs a hook's body as Standard Webhooks has it: HMAC-SHA256 over `id.timestamp.body`.
enum HookSignature {
    /// The three headers.
    ///
    /// - Parameters:
    ///   - secret: `whsec_` and Base64 of the key, or the key itself.
    ///   - seconds: Since 1970.
    static func headers(
        id: String, seconds: Int64, body: [UInt8], secret: String?
    ) -> [(name: String, value: String)] {
        var headers = [(name: "webhook-id", value: id), (name: "webhook-timestamp", value: String(seconds))]
        guard let secret else { return headers }
        let code = HMAC<SHA256>.authenticationCode(
            for: Array("\(id).\(seconds).".utf8) + body, using: SymmetricKey(data: key(secret)))
        headers.append((name: "webhook-signature", value: "v1,\(base64(Array(code)))"))
        return headers
    }

    private static func key(_ secret: String) -> [UInt8] {
        let prefix = "whsec_"
        if secret.hasPrefix(prefix), let key = bytes(base64: secret.dropFirst(prefix.count)), !key.isEmpty {
            return key
        }
        return Array(secret.utf8)
    }
}
