package import AnsFlowProtocol

/// What an agent says of itself in every HELLO. It does not change while the process lives.
package struct AgentProfile: Equatable, Sendable {
    /// The agent's version, for people.
    package var version: String
    /// Made at random when the process starts.
    package var processNonce: String
    /// The kernel's boot id.
    package var bootID: String
    /// Made at random with the data directory.
    package var storeID: String
    package var containment: Hello.Containment
    /// Job attempts that may run here at the same time.
    package var slots: Int
    package var labels: [String: String]

    package init(
        version: String, processNonce: String, bootID: String, storeID: String, containment: Hello.Containment,
        slots: Int,
        labels: [String: String]
    ) {
        self.version = version
        self.processNonce = processNonce
        self.bootID = bootID
        self.storeID = storeID
        self.containment = containment
        self.slots = slots
        self.labels = labels
    }
}
