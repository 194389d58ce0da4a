package import AnsFlowProtocol
package import ControllerCore

/// Makes the tokens that new agents enrol with: a letter, 256 random bits, a dot and the fingerprint of the controller's own
/// certificate authority, so that the agent knows whom it talks to. Only the whole text's hash is stored.
package struct EnrolmentTokens: EnrolmentTokenService {
    private let repository: any AgentRepository
    private let fingerprint: String
    private let lifeMs: Int64
    private let clock: WallClock

    /// - Parameter fingerprint: SHA-256 of the authority's certificate, lower-case hex.
    package init(
        _ repository: any AgentRepository, fingerprint: String, configuration: IdentityConfiguration = .init(),
        clock: @escaping WallClock
    ) {
        self.repository = repository
        self.fingerprint = fingerprint
        lifeMs = configuration.enrolmentTokenLifeMs
        self.clock = clock
    }

    /// What the store keeps of a token of which an agent has shown the secret part.
    package static func hash(secret: String, fingerprint: String) -> String {
        Secrets.hash(secret + "." + fingerprint)
    }

    package func issueEnrolmentToken(agent: AgentID?, by actor: String) async throws -> IssuedSecret {
        // A letter first: a text that begins with a hyphen would be read as an option after `--token`.
        let text = "e" + Secrets.token() + "." + fingerprint
        let now = clock()
        try await repository.addEnrolmentToken(
            hash: Secrets.hash(text), agent: agent, expiresAt: now + lifeMs, by: actor, at: now)
        return IssuedSecret(text: text, expiresAt: now + lifeMs)
    }
}
