import AnsFlowProtocol
import Crypto
import SwiftASN1
package import X509

/// A signing request from somebody who may be hostile. Only its key is taken from it: every name, extension and attribute in it
/// is ignored.
package struct SigningRequest: Sendable {
    package struct Refusal: Error, Equatable, CustomStringConvertible {
        package var description: String
    }

    package let publicKey: Certificate.PublicKey
    package let keyFingerprint: String

    /// Reads a PEM request, checks its length, that its key is P-256, and that its owner signed it.
    package init(pem: String) throws(Refusal) {
        guard pem.utf8.count <= EnrolRequest.signingRequestBytesMax else {
            throw Refusal(description: "The signing request is too long.")
        }
        let request: CertificateSigningRequest
        do {
            request = try CertificateSigningRequest(pemEncoded: pem)
        } catch {
            throw Refusal(description: "The signing request can't be read.")
        }
        guard P256.Signing.PublicKey(request.publicKey) != nil else {
            throw Refusal(description: "The key of the signing request is not on the curve P-256.")
        }
        guard request.publicKey.isValidSignature(request.signature, for: request),
            let fingerprint = try? KeyFingerprint.of(request.publicKey)
        else { throw Refusal(description: "The signing request is not signed by its own key.") }
        publicKey = request.publicKey
        keyFingerprint = fingerprint
    }
}
