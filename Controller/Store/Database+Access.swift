package import ControllerCore
import GRDB
import Synchronization

extension Database: AccessRepository {
    package var accessVersion: UInt64 { stamps.access.load(ordering: .acquiring) }

    /// After a commit that changed who may do what.
    func accessChanged() { stamps.access.add(1, ordering: .releasing) }

    package func roles(of user: UserID) async throws -> [ProjectID: Role] {
        try await read { db in
            var roles: [ProjectID: Role] = [:]
            try db.each("SELECT project, role FROM members WHERE user = ?", { $0.add(user) }) { columns in
                let project: ProjectID = columns.id()
                roles[project] = try columns.word() as Role
            }
            return roles
        }
    }

    package func projectStates() async throws -> [ProjectID: ProjectState] {
        try await read { db in
            var states: [ProjectID: ProjectState] = [:]
            try db.each("SELECT id, state FROM projects") { columns in
                let project: ProjectID = columns.id()
                states[project] = try columns.word() as ProjectState
            }
            return states
        }
    }

    package func isAdministrator(_ user: UserID) async throws -> Bool? {
        try await read { db in
            try db.first("SELECT is_administrator FROM users WHERE id = ? AND disabled = 0", { $0.add(user) }) {
                $0.bool()
            }
        }
    }
}

extension Visibility {
    /// `column IN (…)` for those that may be seen, with its arguments; `nil` where nothing is narrowed.
    ///
    /// - Parameters:
    ///   - column: SQL text for a project's id; never a user's words.
    ///   - project: the one project that is asked for, if any.
    func condition(_ column: String, project: ProjectID? = nil, _ arguments: inout Arguments) -> String? {
        switch self {
        case .all:
            guard let project else { return nil }
            arguments.add(project)
            return "\(column) = ?"
        case .only(let all):
            let seen = project.map { wanted in all.filter { $0 == wanted } } ?? all
            if seen.isEmpty { return "0" }
            for project in seen { arguments.add(project) }
            // One value leaves the order of an index as it is.
            if seen.count == 1 { return "\(column) = ?" }
            return "\(column) IN (\(Array(repeating: "?", count: seen.count).joined(separator: ", ")))"
        }
    }
}
