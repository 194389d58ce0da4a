import NIOCore

/// Holds the agent's identity and renews its certificate when it is time; one renewal at a time.
actor CertificateKeeper {
    private let directory: String
    private let group: any EventLoopGroup
    private let now: @Sendable () -> Int64
    private var identity: LinkIdentity
    private var renewal: Task<Result<LinkIdentity, LinkFailure>, Never>?
    /// The controller did not like the certificate, whatever our clock says of it.
    private var distrusted = false

    init(
        _ identity: LinkIdentity, directory: String, group: any EventLoopGroup, now: @escaping @Sendable () -> Int64
    ) {
        self.identity = identity
        self.directory = directory
        self.group = group
        self.now = now
    }

    var isDue: Bool {
        guard !distrusted, let validity = identity.validity else { return true }
        return now() >= validity.renewAt
    }

    /// An identity to dial with. Where renewal is due it is tried first; if it fails, a certificate that is still good is used.
    ///
    /// - Returns: The identity, and how a renewal went: `nil` where none was due.
    func usable() async throws(LinkFailure) -> (LinkIdentity, renewed: Result<Void, LinkFailure>?) {
        guard isDue else { return (identity, nil) }
        do {
            try await renew()
            return (identity, .success(()))
        } catch {
            let good = !distrusted && (identity.validity.map { now() < $0.end } ?? false)
            guard good, !error.isRevoked else { throw error }
            return (identity, .failure(error))
        }
    }

    /// The controller refused the handshake: the next dial renews first.
    func distrust() { distrusted = true }

    private func renew() async throws(LinkFailure) {
        let running =
            renewal
            // Awaited right below by everyone who wants it.
            ?? Task { [identity, directory, group] in
                do throws(LinkFailure) {
                    return .success(try await Enrolment.renew(identity, directory: directory, group: group))
                } catch {
                    return .failure(error)
                }
            }
        renewal = running
        let result = await running.value
        renewal = nil
        identity = try result.get()
        distrusted = false
    }
}
