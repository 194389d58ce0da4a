package import AnsFlowProtocol
package import AnsFlowTransport

/// Why an agent can't enrol, renew or connect. The text says what to do.
package enum LinkFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// The token is not one.
    case token
    /// The listener shows another authority than the one that the token names, or than the pinned one.
    case authority(String)
    case dial(DialError)
    case refused(EnrolRefusal)
    /// The data directory can't be used.
    case files(String)
    /// The controller's answer makes no sense.
    case answer(String)

    package var description: String {
        switch self {
        case .token:
            "This is not an enrolment token. Copy the whole line that `ansflow agent-token create` printed."
        case .authority(let text), .files(let text), .answer(let text): text
        case .dial(let error): error.description
        case .refused(let refusal): refusal.message
        }
    }

    /// Whether the controller says that the agent is revoked: nothing but a new enrolment helps.
    package var isRevoked: Bool {
        if case .refused(let refusal) = self { refusal.code == .revoked } else { false }
    }
}
