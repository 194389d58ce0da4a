import Crypto
import SwiftASN1
package import X509

/// The identity of an agent: SHA-256 of its public key (SubjectPublicKeyInfo, DER), lower-case hex.
package enum KeyFingerprint {
    package static func of(_ key: Certificate.PublicKey) throws -> String {
        var serializer = DER.Serializer()
        try serializer.serialize(key)
        return hex(SHA256.hash(data: serializer.serializedBytes))
    }

    /// The fingerprint of a certificate's key; `nil` where the bytes are not a certificate.
    package static func of(certificateDER: [UInt8]) -> String? {
        guard let certificate = try? Certificate(derEncoded: certificateDER) else { return nil }
        return try? of(certificate.publicKey)
    }

    /// SHA-256 of bytes, lower-case hex: with an authority's certificate (DER), its fingerprint.
    package static func ofBytes(_ bytes: [UInt8]) -> String { hex(SHA256.hash(data: bytes)) }

    private static func hex(_ digest: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
