/// What a member may do in a project. Each role includes those before it.
package enum Role: String, Codable, Sendable, CaseIterable, Comparable {
    /// Reads everything but secrets.
    case viewer
    /// Starts, cancels and repeats runs.
    case developer
    /// Changes pipelines, secrets, variables and hooks.
    case maintainer
    /// Decides over members and the project's life.
    case owner

    private var rank: Int {
        switch self {
        case .viewer: 0
        case .developer: 1
        case .maintainer: 2
        case .owner: 3
        }
    }

    package static func < (left: Role, right: Role) -> Bool { left.rank < right.rank }
}
