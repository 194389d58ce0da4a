package import AnsFlowProtocol
import AnsFlowTransport
import Crypto
package import FoundationEssentials
import Glibc
import NIOSSL
import SwiftASN1
import X509

/// The controller's own certificate authority: it signs agents' keys and the agents' listener's, and nothing else.
package struct CertificateAuthority: Sendable {
    package struct Failure: Error, Equatable, CustomStringConvertible {
        package var description: String
    }

    /// How long an agent's certificate is good.
    package static let agentLifetime: TimeInterval = 24 * 3600
    package static let serverLifetime: TimeInterval = 30 * 24 * 3600
    static let authorityLifetime: TimeInterval = 20 * 365 * 24 * 3600
    /// Certificates begin a day back, so that a clock that is behind refuses nothing.
    static let backdating: TimeInterval = 24 * 3600

    package let certificateDER: [UInt8]
    package let certificatePEM: String
    /// SHA-256 of the certificate (DER), lower-case hex: what a token carries.
    package let fingerprint: String
    private let certificate: Certificate
    private let key: Certificate.PrivateKey

    /// Loads the authority from `directory`, and makes it at the first start: `ca.key` (only the owner may read it), `ca.crt`.
    package static func open(directory: String, now: Date = Date()) throws -> CertificateAuthority {
        let keyPath = directory + "/ca.key"
        let certificatePath = directory + "/ca.crt"
        let storedCertificate = try SmallFile.read(certificatePath)
        guard let storedKey = try SmallFile.read(keyPath) else {
            guard storedCertificate == nil else {
                throw Failure(
                    description:
                        "\(certificatePath) is there, its key \(keyPath) is not. Restore it from a backup; without "
                        + "it every agent must be enrolled again, after both files are removed.")
            }
            let key = P256.Signing.PrivateKey()
            try SmallFile.write(keyPath, Array(key.pemRepresentation.utf8), mode: 0o600)
            return try create(key, at: certificatePath, now: now)
        }
        let key: P256.Signing.PrivateKey
        do {
            key = try P256.Signing.PrivateKey(pemRepresentation: String(decoding: storedKey, as: UTF8.self))
        } catch {
            throw Failure(description: "\(keyPath) is damaged. Restore it from a backup.")
        }
        // A first start that was cut off leaves the key alone: nobody has trusted it yet.
        guard let storedCertificate else { return try create(key, at: certificatePath, now: now) }
        guard let certificate = try? Certificate(pemEncoded: String(decoding: storedCertificate, as: UTF8.self)),
            certificate.publicKey == Certificate.PublicKey(key.publicKey)
        else {
            throw Failure(
                description: "\(certificatePath) is damaged or not of \(keyPath). Restore both from a backup.")
        }
        return try CertificateAuthority(certificate, key)
    }

    /// An agent's certificate for the key of its signing request: for clients only, named by the agent's id.
    package func issueAgent(
        _ request: SigningRequest, agent: AgentID, now: Date = Date(), lifetime: TimeInterval = agentLifetime
    ) throws -> String {
        let certificate = try leaf(
            request.publicKey, name: "agent \(agent)", usage: .clientAuth, names: [], now: now, lifetime: lifetime)
        return try certificate.serializeAsPEM().pemString
    }

    /// A fresh key and certificate for the listener.
    ///
    /// - Parameter names: Host names and addresses that agents may dial.
    package func issueServer(
        names: [String], now: Date = Date(), lifetime: TimeInterval = serverLifetime
    ) throws -> (certificatePEM: String, keyPEM: String) {
        let key = P256.Signing.PrivateKey()
        let certificate = try leaf(
            Certificate.PublicKey(key.publicKey), name: "AnsFlow controller", usage: .serverAuth,
            names: names.map(Self.generalName), now: now, lifetime: lifetime)
        return (try certificate.serializeAsPEM().pemString, key.pemRepresentation)
    }

    private init(_ certificate: Certificate, _ key: P256.Signing.PrivateKey) throws {
        self.certificate = certificate
        self.key = Certificate.PrivateKey(key)
        var serializer = DER.Serializer()
        try serializer.serialize(certificate)
        certificateDER = serializer.serializedBytes
        certificatePEM = try certificate.serializeAsPEM().pemString
        fingerprint = KeyFingerprint.ofBytes(certificateDER)
    }

    private static func create(_ key: P256.Signing.PrivateKey, at path: String, now: Date) throws
        -> CertificateAuthority
    {
        let publicKey = Certificate.PublicKey(key.publicKey)
        let name = try DistinguishedName {
            OrganizationName("AnsFlow")
            CommonName("AnsFlow authority \(String(try KeyFingerprint.of(publicKey).prefix(16)))")
        }
        let extensions = try Certificate.Extensions {
            Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
            Critical(KeyUsage(keyCertSign: true))
            SubjectKeyIdentifier(hash: publicKey)
        }
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: publicKey,
            notValidBefore: now - backdating, notValidAfter: now + authorityLifetime, issuer: name, subject: name,
            extensions: extensions, issuerPrivateKey: Certificate.PrivateKey(key))
        let authority = try CertificateAuthority(certificate, key)
        try SmallFile.write(path, Array(authority.certificatePEM.utf8), mode: 0o644)
        return authority
    }

    private func leaf(
        _ publicKey: Certificate.PublicKey, name: String, usage: ExtendedKeyUsage.Usage, names: [GeneralName],
        now: Date,
        lifetime: TimeInterval
    ) throws -> Certificate {
        let subject = try DistinguishedName { CommonName(name) }
        let purposes = try ExtendedKeyUsage([usage])
        let extensions = try Certificate.Extensions {
            Critical(BasicConstraints.notCertificateAuthority)
            Critical(KeyUsage(digitalSignature: true))
            purposes
            if !names.isEmpty { SubjectAlternativeNames(names) }
        }
        return try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: publicKey,
            notValidBefore: now - Self.backdating, notValidAfter: now + lifetime, issuer: certificate.subject,
            subject: subject, extensions: extensions, issuerPrivateKey: key)
    }

    private static func generalName(_ name: String) -> GeneralName {
        var four = in_addr()
        if inet_pton(AF_INET, name, &four) == 1 {
            return .ipAddress(ASN1OctetString(contentBytes: withUnsafeBytes(of: four) { ArraySlice($0) }))
        }
        var six = in6_addr()
        if inet_pton(AF_INET6, name, &six) == 1 {
            return .ipAddress(ASN1OctetString(contentBytes: withUnsafeBytes(of: six) { ArraySlice($0) }))
        }
        return .dnsName(name)
    }
}
