/// Why the controller ends an agent's connection. Agents show the reason and act on the code.
package enum CloseCode: UInt16, Sendable, CaseIterable {
    case normal = 1000
    case goingAway = 1001
    case malformed = 4400
    case notAuthenticated = 4401
    /// The agent is revoked: it kills its steps and dials no more.
    case revoked = 4403
    case version = 4406
    case silence = 4408
    /// Another process with the same key is connected.
    case identityConflict = 4409
    /// The agent knows of attempts that this controller never issued: the controller was rolled back, or the agent lies.
    case generation = 4412
    case slowDown = 4429
    /// A newer connection of the same process took this one's place.
    case replaced = 4499
    case notWritable = 4503

    /// Whether dialling again may help without anybody's doing.
    package var mayRedial: Bool { self != .revoked }
}
