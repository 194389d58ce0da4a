package import ControllerCore
import Synchronization

/// Roles from memory, forgotten as soon as a commit has changed any of them.
package final class AccessBook: AccessReading {
    private struct State {
        /// The version that all below were read under.
        var version: UInt64 = 0
        var projects: [ProjectID: ProjectState]?
        var users: [UserID: Access] = [:]
        var hits: UInt64 = 0
        var misses: UInt64 = 0
        var evictions: UInt64 = 0
    }

    private let repository: any AccessRepository
    private let limit: Int
    private let state = Mutex(State())

    /// - Parameter limit: Users that are remembered at most.
    package init(_ repository: any AccessRepository, limit: Int = 2048) {
        self.repository = repository
        self.limit = limit
    }

    package var accessVersion: UInt64 { repository.accessVersion }

    /// Hits, misses, evictions and entries, for `/api/v1/system/cache`.
    package var statistics: (hits: UInt64, misses: UInt64, evictions: UInt64, entries: Int) {
        state.withLock { ($0.hits, $0.misses, $0.evictions, $0.users.count) }
    }

    package func access(of principal: Principal) async throws -> Access {
        // Before the reads: see AccessRepository.accessVersion.
        let version = repository.accessVersion
        let known = state.withLock { state -> Access? in
            if state.version != version {
                // A slower reader must not bring an older version back.
                guard state.version < version else { return nil }
                state.version = version
                state.projects = nil
                state.users = [:]
            }
            guard let access = state.users[principal.user] else {
                state.misses += 1
                return nil
            }
            state.hits += 1
            return access
        }
        if let known { return known }
        let projects: [ProjectID: ProjectState]
        if let kept = state.withLock({ $0.version == version ? $0.projects : nil }) {
            projects = kept
        } else {
            projects = try await repository.projectStates()
        }
        let isAdministrator = try await repository.isAdministrator(principal.user)
        let roles = try await repository.roles(of: principal.user)
        guard let isAdministrator else { return .none }
        let access = Access(isAdministrator: isAdministrator, roles: roles, projects: projects)
        state.withLock { state in
            guard state.version == version else { return }
            state.projects = projects
            if state.users.count >= limit {
                state.evictions += UInt64(state.users.count)
                state.users = [:]
            }
            state.users[principal.user] = access
        }
        return access
    }
}
