import JWTKit

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Short-lived access tokens: JWTs with HMAC-SHA-256 and nothing else.
struct AccessTokens: Sendable {
    struct Claims: JWTPayload, Equatable {
        /// The user's id.
        var sub: String
        /// The session's id.
        var jti: String
        var aud: String
        /// Seconds since 1970.
        var iat: Int64
        var exp: Int64

        /// Times are compared by ``AccessTokens``, whose clock is injected.
        func verify(using key: some JWTAlgorithm) async throws {}
    }

    private struct Header: Decodable {
        var alg: String
        var kid: String
        var crit: [String]?
    }

    static let audience = "ansflow"
    static let tokenBytesMax = 4096

    private let keys: JWTKeyCollection
    private let kid: String

    init(key: [UInt8]) async {
        keys = JWTKeyCollection()
        kid = String(Secrets.hash("kid" + Secrets.hex(key)).prefix(16))
        await keys.add(hmac: HMACKey(from: key), digestAlgorithm: .sha256, kid: JWKIdentifier(string: kid))
    }

    func sign(_ claims: Claims) async throws -> String {
        try await keys.sign(claims, kid: JWKIdentifier(string: kid))
    }

    /// The claims of a token that this controller signed and that has not expired; nil for everything else.
    ///
    /// The header is checked first and by us: the library would take its default key for an unknown `kid`.
    func verify(_ token: String, nowMs: Int64) async -> Claims? {
        guard token.utf8.count <= Self.tokenBytesMax else { return nil }
        let parts = token.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let bytes = Secrets.bytes(base64URL: parts[0]),
            let header = try? JSONDecoder().decode(Header.self, from: Data(bytes)),
            header.alg == "HS256", header.kid == kid, header.crit == nil,
            let claims = try? await keys.verify(token, as: Claims.self),
            claims.aud == Self.audience, claims.exp * 1000 > nowMs
        else { return nil }
        return claims
    }
}
