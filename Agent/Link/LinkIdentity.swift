package import AnsFlowProtocol
import AnsFlowTransport
import Crypto
import Glibc
import NIOSSL
import SwiftASN1
import X509

/// What an enrolled agent keeps in its data directory to be itself: `agent.key` (only the owner may read it), `agent.crt`,
/// `ca.crt`, and `link.json`, which is written last and so says that the rest is there.
package struct LinkIdentity: Sendable {
    package var settings: LinkSettings
    /// All PEM.
    package var key: [UInt8]
    package var certificate: [UInt8]
    package var authority: [UInt8]

    /// Loads it.
    ///
    /// - Returns: `nil` where the directory was never enrolled.
    package static func load(_ directory: String) throws(LinkFailure) -> LinkIdentity? {
        guard let link = try read(directory, "link.json") else { return nil }
        guard let key = try read(directory, "agent.key"), let certificate = try read(directory, "agent.crt"),
            let authority = try read(directory, "ca.crt"), let settings = try? WireCodec.decodeLinkSettings(link)
        else {
            throw .files(
                "The agent's identity in \(directory) is damaged. Remove link.json there and enrol the agent with a new token."
            )
        }
        return LinkIdentity(settings: settings, key: key, certificate: certificate, authority: authority)
    }

    /// Writes all but the key, which is there already.
    func save(_ directory: String) throws(LinkFailure) {
        try Self.write(directory, "ca.crt", authority, mode: 0o644)
        try saveCertificate(directory)
        let link: [UInt8]
        do { link = try WireCodec.encode(settings) } catch { throw .files(error.description) }
        try Self.write(directory, "link.json", link, mode: 0o644)
    }

    func saveCertificate(_ directory: String) throws(LinkFailure) {
        try Self.write(directory, "agent.crt", certificate, mode: 0o644)
    }

    /// When the certificate ends, and when it is time to renew it: at two thirds of its life. Seconds since 1970.
    var validity: (renewAt: Int64, end: Int64)? {
        guard let certificate = try? NIOSSLCertificate(bytes: certificate, format: .pem) else { return nil }
        let end = Int64(certificate.notValidAfter)
        let span = end - Int64(certificate.notValidBefore)
        // Certificates begin a day before they are made.
        let day: Int64 = 24 * 3600
        let life = span > day ? span - day : span
        return (end - life / 3, end)
    }

    // MARK: Key

    /// The directory's key, PEM; made where there is none.
    static func key(in directory: String) throws(LinkFailure) -> [UInt8] {
        if let key = try read(directory, "agent.key") { return key }
        guard mkdir(directory, 0o700) == 0 || errno == EEXIST else {
            throw .files("Can't make the directory \(directory): \(String(cString: strerror(errno))).")
        }
        let key = Array(P256.Signing.PrivateKey().pemRepresentation.utf8)
        try write(directory, "agent.key", key, mode: 0o600)
        return key
    }

    /// A signing request (PEM) that proves possession of the key.
    static func signingRequest(key: [UInt8], name: String) throws(LinkFailure) -> String {
        do {
            let key = try P256.Signing.PrivateKey(pemRepresentation: String(decoding: key, as: UTF8.self))
            let request = try CertificateSigningRequest(
                version: .v1, subject: try DistinguishedName { CommonName(name) },
                privateKey: Certificate.PrivateKey(key), attributes: CertificateSigningRequest.Attributes())
            return try request.serializeAsPEM().pemString
        } catch {
            throw .files("The agent's key is damaged: \(error). Remove agent.key and enrol with a new token.")
        }
    }

    /// Forgets the directory's identity.
    static func remove(_ directory: String) throws(LinkFailure) {
        for name in ["link.json", "agent.key", "agent.crt", "ca.crt"] {
            guard unlink("\(directory)/\(name)") == 0 || errno == ENOENT else {
                throw .files("Can't remove \(directory)/\(name): \(String(cString: strerror(errno))).")
            }
        }
    }

    /// SHA-256 of bytes, lower-case hex.
    static func fingerprint(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: SHA256.hash(data: bytes).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    private static func read(_ directory: String, _ name: String) throws(LinkFailure) -> [UInt8]? {
        do { return try SmallFile.read("\(directory)/\(name)") } catch { throw .files(error.description) }
    }

    private static func write(
        _ directory: String, _ name: String, _ bytes: [UInt8], mode: mode_t
    ) throws(LinkFailure) {
        do { try SmallFile.write("\(directory)/\(name)", bytes, mode: mode) } catch { throw .files(error.description) }
    }
}
