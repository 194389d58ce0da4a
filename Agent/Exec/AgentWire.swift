package import AnsFlowProtocol

/// A link, as far as the runtime needs one. Any thread may call it.
package protocol AgentWire: Sendable {
    /// Bytes that wait for the socket.
    var backlogBytes: Int { get }
    /// - Returns: Whether it was taken; never waits.
    func trySend(_ message: [UInt8]) -> Bool
    /// Waits while the socket is behind.
    func send(_ message: [UInt8]) async throws
    func close(_ code: CloseCode)
}
