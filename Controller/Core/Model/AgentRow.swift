package import AnsFlowProtocol

package struct AgentRow: Equatable, Sendable {
    package var id: AgentID
    package var name: String
    /// SHA-256 of its public key, lower-case hex. Written by enrolment only, never by the engine.
    package var key: String
    package var labels: [String: String]
    package var slots: Int
    package var version: String
    package var containment: String
    package var storeID: String?
    package var paused: Bool
    /// Why it is paused, for people.
    package var note: String?
    package var draining: Bool
    package var revoked: Bool
    package var createdAt: Int64
    package var lastSeenAt: Int64?

    package init(
        id: AgentID, name: String, key: String, labels: [String: String], slots: Int, version: String = "",
        containment: String = "", storeID: String? = nil, paused: Bool = false, note: String? = nil,
        draining: Bool = false, revoked: Bool = false, createdAt: Int64, lastSeenAt: Int64? = nil
    ) {
        self.id = id
        self.name = name
        self.key = key
        self.labels = labels
        self.slots = slots
        self.version = version
        self.containment = containment
        self.storeID = storeID
        self.paused = paused
        self.note = note
        self.draining = draining
        self.revoked = revoked
        self.createdAt = createdAt
        self.lastSeenAt = lastSeenAt
    }
}
