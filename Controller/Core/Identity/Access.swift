/// In which state of its life a project is.
package enum ProjectState: String, Codable, Sendable, CaseIterable {
    case active
    /// Can be read; nothing of it changes and nothing starts.
    case archived
    /// Its data are being removed. To everybody it is gone already.
    case deleting
}

/// The projects whose things a caller gets to see in lists.
package enum Visibility: Hashable, Sendable {
    case all
    /// Ascending, without repetition.
    case only([ProjectID])

    package init(_ projects: some Sequence<ProjectID>) {
        self = .only(Set(projects).sorted())
    }

    package func includes(_ project: ProjectID) -> Bool {
        switch self {
        case .all: true
        case .only(let projects): projects.contains(project)
        }
    }
}

/// What one user may do in which project, as of one moment. A value; ``AccessReading`` gives the present one.
package struct Access: Equatable, Sendable {
    /// May do everything in every project.
    package var isAdministrator: Bool
    package var roles: [ProjectID: Role]
    /// All projects that there are.
    package var projects: [ProjectID: ProjectState]

    package init(isAdministrator: Bool, roles: [ProjectID: Role], projects: [ProjectID: ProjectState]) {
        self.isAdministrator = isAdministrator
        self.roles = roles
        self.projects = projects
    }

    /// What somebody may do who is nobody: nothing.
    package static let none = Access(isAdministrator: false, roles: [:], projects: [:])

    /// The state of a project that has not been deleted; `nil` for others.
    package func state(of project: ProjectID) -> ProjectState? {
        guard let state = projects[project], state != .deleting else { return nil }
        return state
    }

    /// The role in a project that is there; administrators have the highest in each. `nil` for those who are no member.
    package func role(in project: ProjectID) -> Role? {
        guard state(of: project) != nil else { return nil }
        return isAdministrator ? .owner : roles[project]
    }

    package var visibility: Visibility {
        isAdministrator ? .all : Visibility(roles.keys.filter { state(of: $0) != nil })
    }

    /// Whether a caller may do what needs `role`, and if not, why.
    package enum Verdict: Equatable, Sendable {
        case allowed
        /// There is no such project, or the caller may not know of it.
        case unknown
        /// A member with a smaller role.
        case tooSmall(Role)
    }

    package func verdict(_ role: Role, in project: ProjectID) -> Verdict {
        guard let own = self.role(in: project) else { return .unknown }
        return own >= role ? .allowed : .tooSmall(own)
    }
}
