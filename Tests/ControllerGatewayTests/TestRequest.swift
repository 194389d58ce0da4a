import Crypto
import SwiftASN1
import X509

/// Signing requests made outside the agent's code.
enum TestRequest {
    static func pem(key: [UInt8]) throws -> String {
        let key = try P256.Signing.PrivateKey(pemRepresentation: String(decoding: key, as: UTF8.self))
        return try CertificateSigningRequest(
            version: .v1, subject: DistinguishedName(), privateKey: Certificate.PrivateKey(key),
            attributes: CertificateSigningRequest.Attributes()
        ).serializeAsPEM().pemString
    }
}
