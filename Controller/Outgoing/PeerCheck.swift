import AnsFlowTransport
import NIOCore
import NIOSSL

/// Looks at a connection before anything is sent on it.
///
/// NIOSSL verifies the certificate's chain, but also takes one that names the address where a name was asked for; whoever answers for a
/// name with an address of their own could get such a certificate. Here the name itself must be in it.
enum PeerCheck {
    struct Mismatch: Error, CustomStringConvertible {
        var description: String
    }

    static func check(_ channel: any Channel, _ url: OutgoingURL, _ address: IPAddress) -> EventLoopFuture<Void> {
        guard let remote = channel.remoteAddress?.ipAddress.flatMap({ IPAddress($0) }), remote == address else {
            return refuse(channel, "the connection does not lead to the checked address \(address)")
        }
        guard url.isTLS, url.address == nil else { return channel.eventLoop.makeSucceededVoidFuture() }
        return channel.nioSSL_peerCertificate().flatMapThrowing { certificate in
            guard let certificate, names(of: certificate).contains(where: { matches($0, url.host) }) else {
                throw Mismatch(description: "the certificate does not name \(url.host)")
            }
        }.flatMapErrorThrowing { error in
            channel.close(promise: nil)
            throw error
        }
    }

    private static func refuse(_ channel: any Channel, _ text: String) -> EventLoopFuture<Void> {
        channel.close(promise: nil)
        return channel.eventLoop.makeFailedFuture(Mismatch(description: text))
    }

    private static func names(of certificate: NIOSSLCertificate) -> [String] {
        certificate._subjectAlternativeNames().filter { $0.nameType == .dnsName }.map {
            String(decoding: $0.contents, as: UTF8.self).lowercased()
        }
    }

    /// A wildcard stands for one whole label, the first, of at least three (RFC 9525 section 6.3).
    static func matches(_ pattern: String, _ host: String) -> Bool {
        guard pattern.hasPrefix("*.") else { return pattern == host }
        let rest = pattern.dropFirst(2)
        guard rest.contains("."), let dot = host.firstIndex(of: "."), dot > host.startIndex else { return false }
        return host[host.index(after: dot)...] == rest
    }
}
