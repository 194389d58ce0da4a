package import AnsFlowProtocol
import AnsFlowTransport
package import NIOCore
import NIOPosix
import NIOSSL

/// Makes a build host an agent of a controller, and renews its certificate.
package struct Enrolment: Sendable {
    /// `https://HOST:PORT`.
    package var controller: String
    package var name: String
    package var labels: [String: String]
    package var slots: Int
    private let group: any EventLoopGroup

    package init(
        controller: String, name: String, labels: [String: String], slots: Int,
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) {
        self.controller = controller
        self.name = name
        self.labels = labels
        self.slots = slots
        self.group = group
    }

    /// Enrols `directory` with a token. May be repeated after it was cut off: the key is kept, and the same token with the
    /// same key gives the same agent.
    ///
    /// - Parameter replace: Whether a directory that is enrolled already gets a new identity.
    package func enrol(token: String, directory: String, replace: Bool = false) async throws(LinkFailure)
        -> LinkSettings
    {
        guard let token = EnrolToken(parsing: token) else { throw .token }
        if let present = try LinkIdentity.load(directory) {
            guard replace else {
                throw .files(
                    "\(directory) is enrolled already, as \"\(present.settings.name)\" at \(present.settings.controller). "
                        + "Choose another directory, or say that its identity is to be replaced.")
            }
            try LinkIdentity.remove(directory)
        }
        let client = try Self.client(controller, group)
        let authority = try await authority(client, token.authorityFingerprint)
        let key = try LinkIdentity.key(in: directory)
        let request = EnrolRequest(
            token: token.secret, csr: try LinkIdentity.signingRequest(key: key, name: name), name: name, labels: labels,
            slots: slots)
        let response = try await Self.ask(client, request, authority: authority)
        let settings = LinkSettings(
            controller: client.address.description, agent: response.agent, name: name, labels: labels, slots: slots)
        let identity = LinkIdentity(
            settings: settings, key: key, certificate: Array(response.certificate.utf8),
            authority: try Self.pem(authority))
        try identity.save(directory)
        return settings
    }

    /// A new certificate for the same key, on a connection without one: it also works when the old one has expired.
    static func renew(
        _ identity: LinkIdentity, directory: String, group: any EventLoopGroup
    ) async throws(LinkFailure) -> LinkIdentity {
        let settings = identity.settings
        let request = EnrolRequest(
            token: nil, csr: try LinkIdentity.signingRequest(key: identity.key, name: settings.name),
            name: settings.name, labels: settings.labels, slots: settings.slots)
        let authority: NIOSSLCertificate
        do {
            authority = try NIOSSLCertificate(bytes: identity.authority, format: .pem)
        } catch {
            throw .files("ca.crt in \(directory) is damaged. Enrol the agent with a new token.")
        }
        let response = try await ask(try client(settings.controller, group), request, authority: authority)
        var renewed = identity
        renewed.certificate = Array(response.certificate.utf8)
        try renewed.saveCertificate(directory)
        return renewed
    }

    static func client(_ controller: String, _ group: any EventLoopGroup) throws(LinkFailure) -> TransportClient {
        do { return TransportClient(try ControllerAddress(parsing: controller), group: group) } catch {
            throw .dial(error)
        }
    }

    /// The authority whose fingerprint the token carries, found in what the listener shows. It is then the only root that the
    /// real connection trusts, so a listener that merely shows somebody's authority gets nothing.
    private func authority(_ client: TransportClient, _ fingerprint: String) async throws(LinkFailure)
        -> NIOSSLCertificate
    {
        let chain: [[UInt8]]
        do { chain = try await client.presentedChain() } catch { throw .dial(error) }
        let match = chain.first { LinkIdentity.fingerprint($0) == fingerprint }
        guard let match, let certificate = try? NIOSSLCertificate(bytes: match, format: .der) else {
            throw .authority(
                "The listener at \(client.address) is not the controller that made this token: its authority has another "
                    + "fingerprint. Check the address; somebody may stand between.")
        }
        return certificate
    }

    private static func ask(
        _ client: TransportClient, _ request: EnrolRequest, authority: NIOSSLCertificate
    ) async throws(LinkFailure) -> EnrolResponse {
        let answer: HTTPAnswer
        do throws(DialError) {
            let tls: NIOSSLContext
            do {
                tls = try TransportClient.tls(authorities: [authority])
            } catch {
                throw DialError(.tls, "The authority's certificate can't be used: \(error)")
            }
            let body: [UInt8]
            do { body = try WireCodec.encode(request) } catch { throw DialError(.unexpected, error.description) }
            answer = try await client.post(
                path: ProtocolVersion.enrolPath, body: body, answerMax: EnrolRequest.bytesMax, tls: tls)
        } catch {
            throw .dial(error)
        }
        guard answer.status == 200 else {
            if let refusal = try? WireCodec.decodeEnrolRefusal(answer.body) { throw .refused(refusal) }
            let text = String(decoding: answer.body.prefix(300), as: UTF8.self)
            throw .answer("The controller refused the enrolment (\(answer.status)): \(text)")
        }
        do {
            return try WireCodec.decodeEnrolResponse(answer.body)
        } catch {
            throw .answer("The controller's answer to the enrolment can't be read: \(error)")
        }
    }

    private static func pem(_ certificate: NIOSSLCertificate) throws(LinkFailure) -> [UInt8] {
        do {
            return try PEMText.certificate(der: certificate.toDERBytes())
        } catch {
            throw .answer("The authority's certificate can't be read: \(error)")
        }
    }
}
