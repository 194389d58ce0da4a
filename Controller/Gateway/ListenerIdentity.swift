package import FoundationEssentials
import Glibc
import NIOConcurrencyHelpers
import NIOCore
package import NIOSSL

/// The agents' listener's certificate and TLS settings. It renews itself; its key lives in memory only.
package final class ListenerIdentity: Sendable {
    private struct Current {
        var context: NIOSSLContext
        var renewAfter: Date
    }

    private let authority: CertificateAuthority
    private let names: [String]
    private let current: NIOLockedValueBox<Current>

    /// - Parameter extraNames: What agents dial besides this host's own names and loopback.
    package init(_ authority: CertificateAuthority, extraNames: [String], now: Date = Date()) throws {
        self.authority = authority
        var names = ["localhost", "127.0.0.1", "::1"]
        for name in Self.hostNames() + extraNames where !name.isEmpty && !names.contains(name) { names.append(name) }
        self.names = names
        current = NIOLockedValueBox(try Self.make(authority, names, now))
    }

    /// For the next connection.
    package var context: NIOSSLContext { current.withLockedValue { $0.context } }

    /// Takes a new certificate when two thirds of the old one's life are over.
    ///
    /// - Returns: Whether it did.
    package func renewIfDue(now: Date = Date()) throws -> Bool {
        guard current.withLockedValue({ now >= $0.renewAfter }) else { return false }
        let fresh = try Self.make(authority, names, now)
        current.withLockedValue { $0 = fresh }
        return true
    }

    private static func make(_ authority: CertificateAuthority, _ names: [String], _ now: Date) throws -> Current {
        let server = try authority.issueServer(names: names, now: now)
        let root = try NIOSSLCertificate(bytes: authority.certificateDER, format: .der)
        let leaf = try NIOSSLCertificate(bytes: Array(server.certificatePEM.utf8), format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: [.certificate(leaf), .certificate(root)],
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(server.keyPEM.utf8), format: .pem)))
        configuration.minimumTLSVersion = .tlsv12
        configuration.trustRoots = .certificates([root])
        // Without a certificate a connection may only enrol; with one that is not good it ends in the handshake.
        configuration.certificateVerification = .optionalVerification
        configuration.shutdownTimeout = .seconds(1)
        return Current(
            context: try NIOSSLContext(configuration: configuration),
            renewAfter: now + CertificateAuthority.serverLifetime * 2 / 3)
    }

    private static func hostNames() -> [String] {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return [] }
        let full = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard let short = full.split(separator: ".").first, short.count < full.count else { return [full] }
        return [full, String(short)]
    }
}
