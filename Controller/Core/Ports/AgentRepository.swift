package import AnsFlowProtocol

package enum EnrolmentRefusal: Error, Equatable, Sendable {
    /// Unknown, expired or already used by another key.
    case badToken
    case nameTaken
    case revoked
    /// A renewal by a key that is not enrolled.
    case unknownKey
}

/// Enrolment tokens and the agents they made. Each method is one durable transaction.
package protocol AgentRepository: Sendable {
    /// Keeps a token by its SHA-256 (lower-case hex). With `agent` it re-keys that agent, which keeps its id.
    func addEnrolmentToken(hash: String, agent: AgentID?, expiresAt: Int64, by actor: String, at: Int64) async throws
    /// Idempotent by (token, key): the same key gets the same agent again. Throws ``EnrolmentRefusal``.
    func enrol(
        tokenHash: String, key: String, name: String, labels: [String: String], slots: Int, at: Int64
    ) async throws -> AgentRow
    func agent(key: String) async throws -> AgentRow?
    func agent(_ id: AgentID) async throws -> AgentRow?
    func agent(named name: String) async throws -> AgentRow?
    func agents() async throws -> [AgentRow]
}
