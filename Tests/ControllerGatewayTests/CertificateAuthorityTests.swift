import AnsFlowProtocol
import AnsFlowTransport
import Crypto
import FoundationEssentials
import Glibc
import SwiftASN1
import Testing
import X509

@testable import ControllerGateway

struct CertificateAuthorityTests {
    @Test func isMadeOnceAndKeptPrivate() throws {
        let data = try TemporaryDirectory()
        let first = try CertificateAuthority.open(directory: data.path)
        let second = try CertificateAuthority.open(directory: data.path)
        #expect(first.fingerprint == second.fingerprint)
        #expect(first.fingerprint.utf8.count == 64)
        var status = stat()
        #expect(stat(data.path + "/ca.key", &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
    }

    @Test func aFirstStartThatWasCutOffGoesOn() throws {
        let data = try TemporaryDirectory()
        _ = try CertificateAuthority.open(directory: data.path)
        #expect(unlink(data.path + "/ca.crt") == 0)
        let again = try CertificateAuthority.open(directory: data.path)
        #expect(try CertificateAuthority.open(directory: data.path).fingerprint == again.fingerprint)
    }

    @Test func aLostOrForeignKeyIsSaid() throws {
        let data = try TemporaryDirectory()
        let other = try TemporaryDirectory()
        _ = try CertificateAuthority.open(directory: data.path)
        _ = try CertificateAuthority.open(directory: other.path)
        let foreign = try #require(try SmallFile.read(other.path + "/ca.key"))
        try SmallFile.write(data.path + "/ca.key", foreign, mode: 0o600)
        #expect(throws: CertificateAuthority.Failure.self) { try CertificateAuthority.open(directory: data.path) }
        try SmallFile.write(data.path + "/ca.key", [1, 2], mode: 0o600)
        #expect(throws: CertificateAuthority.Failure.self) { try CertificateAuthority.open(directory: data.path) }
        #expect(unlink(data.path + "/ca.key") == 0)
        #expect(throws: CertificateAuthority.Failure.self) { try CertificateAuthority.open(directory: data.path) }
    }

    @Test func agentCertificates() throws {
        let data = try TemporaryDirectory()
        let authority = try CertificateAuthority.open(directory: data.path)
        let agent = try TestAgent()
        let now = Date()
        let certificate = try Certificate(
            pemEncoded: try authority.issueAgent(agent.request, agent: AgentID(7), now: now))
        #expect(abs(certificate.notValidAfter.timeIntervalSince(now) - 24 * 3600) < 2)
        #expect(abs(now.timeIntervalSince(certificate.notValidBefore) - 24 * 3600) < 2)
        let usage = try #require(try certificate.extensions.extendedKeyUsage)
        #expect(Array(usage) == [.clientAuth])
        #expect(try KeyFingerprint.of(certificate.publicKey) == agent.fingerprint)
        #expect(try certificate.extensions.basicConstraints == .notCertificateAuthority)
    }

    @Test func hostileSigningRequests() throws {
        #expect(throws: SigningRequest.Refusal.self) { try SigningRequest(pem: "") }
        #expect(throws: SigningRequest.Refusal.self) { try SigningRequest(pem: String(repeating: "A", count: 100_000)) }
        let good = try TestAgent().csrPEM
        // Another curve.
        let wide = try CertificateSigningRequest(
            version: .v1, subject: DistinguishedName(), privateKey: Certificate.PrivateKey(P384.Signing.PrivateKey()),
            attributes: CertificateSigningRequest.Attributes())
        #expect(throws: SigningRequest.Refusal.self) { try SigningRequest(pem: try wide.serializeAsPEM().pemString) }
        // Any changed byte of the body, and any cut, is refused or not readable.
        let body = try PEMDocument(pemString: good).derBytes
        for index in stride(from: 0, to: body.count, by: 3) {
            var changed = body
            changed[index] ^= 0x41
            let pem = PEMDocument(type: "CERTIFICATE REQUEST", derBytes: changed).pemString
            if let request = try? SigningRequest(pem: pem) {
                // Only what the signature's encoding lets through, and then the key is still the owner's.
                #expect(request.keyFingerprint == (try SigningRequest(pem: good).keyFingerprint))
            }
            let cut = PEMDocument(type: "CERTIFICATE REQUEST", derBytes: Array(body[..<index])).pemString
            #expect(throws: SigningRequest.Refusal.self) { try SigningRequest(pem: cut) }
        }
    }

    @Test func theListenersCertificateRenewsItself() throws {
        let data = try TemporaryDirectory()
        let authority = try CertificateAuthority.open(directory: data.path)
        let start = Date()
        let identity = try ListenerIdentity(authority, extraNames: ["ci.example.org", "10.0.0.9"], now: start)
        let first = identity.context
        #expect(try !identity.renewIfDue(now: start + CertificateAuthority.serverLifetime / 2))
        #expect(identity.context === first)
        #expect(try identity.renewIfDue(now: start + CertificateAuthority.serverLifetime * 0.7))
        #expect(identity.context !== first)
    }

    @Test func ratesAreLimitedForEachAddress() {
        let limiter = RateLimiter(burst: 2, refill: .seconds(3), keysMax: 2)
        let start = ContinuousClock.now
        #expect(limiter.allow("a", now: start))
        #expect(limiter.allow("a", now: start))
        #expect(!limiter.allow("a", now: start + .seconds(2)))
        #expect(limiter.allow("a", now: start + .seconds(4)))
        #expect(limiter.allow("b", now: start + .seconds(4)))
        #expect(!limiter.allow("c", now: start + .seconds(4)), "the memory of addresses is bounded")
        #expect(limiter.allow("c", now: start + .seconds(60)))
    }
}
