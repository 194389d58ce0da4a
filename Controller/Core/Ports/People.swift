/// Why users, projects or members were not changed. Nothing of it happened.
package enum PeopleChange: Error, Equatable, Sendable {
    case nameTaken, notFound
    /// `If-Match` named another version.
    case stale(current: Int)
    /// No administrator would be left who can log in.
    case lastAdministrator
    /// The present password is wrong.
    case wrongPassword
    /// Too many passwords are being checked; come again.
    case busy
    /// The project is archived.
    case archived
}

/// What changes of a user; what is nil stays.
package struct UserEdit: Equatable, Sendable {
    package var password: String?
    package var isAdministrator: Bool?
    package var disabled: Bool?

    package init(password: String? = nil, isAdministrator: Bool? = nil, disabled: Bool? = nil) {
        self.password = password
        self.isAdministrator = isAdministrator
        self.disabled = disabled
    }
}

/// Users in the store. Each method is one durable transaction; one that leaves no administrator who can log in is refused.
package protocol UserRepository: Sendable {
    /// - Parameter text: a part of the name.
    func users(text: String?, order: ListOrder, page: Int, perPage: Int) async throws -> Page<UserRow>
    func user(_ id: UserID) async throws -> UserRow?
    /// The id of `row` is ignored.
    ///
    /// - Parameter key: the caller and its `Idempotency-Key`: the same again gives the user that the first made.
    /// - Throws: ``PeopleChange``.
    func createUser(_ row: UserRow, key: String?) async throws -> UserRow
    /// Ends all sessions of a user who is disabled or gets another password.
    ///
    /// - Parameter passwordHash: nil where it stays.
    func changeUser(
        _ id: UserID, _ edit: UserEdit, passwordHash: String?, expected: Int?, at: Int64
    ) async throws -> UserRow
    /// With sessions, keys and memberships.
    func deleteUser(_ id: UserID, expected: Int?) async throws
    /// Sets a password and ends all sessions but `keep`.
    func changePassword(_ hash: String, of user: UserID, keep: Int64?, at: Int64) async throws
    /// Sessions that have not ended, newest first; at most 1,000.
    func liveSessions(of user: UserID, now: Int64) async throws -> [LoginSessionRow]
    /// False where the user has no such session that has not ended.
    func endSession(_ id: Int64, of user: UserID) async throws -> Bool
    /// Keys of everybody, by id; at most 10,000.
    func allKeys() async throws -> [OwnedKey]
}

/// What people do with accounts.
package protocol UserManaging: Sendable {
    func users(text: String?, order: ListOrder, page: Int, perPage: Int) async throws -> Page<UserRow>
    func user(_ id: UserID) async throws -> UserRow?
    /// - Throws: ``PeopleChange``.
    func create(
        name: String, password: String, isAdministrator: Bool, key: String?
    ) async throws -> UserRow
    func change(_ id: UserID, _ edit: UserEdit, expected: Int?) async throws -> UserRow
    func delete(_ id: UserID, expected: Int?) async throws
    /// Ends all other sessions of the caller.
    func changeOwnPassword(from old: String, to new: String, of principal: Principal) async throws
    func sessions(of principal: Principal) async throws -> [LoginSessionRow]
    func endSession(_ id: Int64, of principal: Principal) async throws -> Bool
    /// Keys of everybody, by id; at most 10,000.
    func allKeys() async throws -> [OwnedKey]
}

/// An API key and whose it is.
package struct OwnedKey: Equatable, Sendable {
    package var row: APIKeyRow
    package var userName: String

    package init(row: APIKeyRow, userName: String) {
        self.row = row
        self.userName = userName
    }
}

package struct ProjectRow: Equatable, Sendable {
    package var id: ProjectID
    package var name: String
    package var description: String
    package var state: ProjectState
    package var version: Int
    package var createdAt: Int64
    package var updatedAt: Int64

    package init(
        id: ProjectID, name: String, description: String = "", state: ProjectState = .active, version: Int = 1,
        createdAt: Int64, updatedAt: Int64
    ) {
        self.id = id
        self.name = name
        self.description = description
        self.state = state
        self.version = version
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

/// What changes of a project; what is nil stays.
package struct ProjectEdit: Equatable, Sendable {
    package var name: String?
    package var description: String?
    package var isArchived: Bool?

    package init(name: String? = nil, description: String? = nil, isArchived: Bool? = nil) {
        self.name = name
        self.description = description
        self.isArchived = isArchived
    }
}

/// A member of a project.
package struct MemberRow: Equatable, Sendable {
    package var user: UserID
    package var name: String
    package var role: Role
    package var addedBy: String
    package var createdAt: Int64
    package var updatedAt: Int64

    package init(user: UserID, name: String, role: Role, addedBy: String, createdAt: Int64, updatedAt: Int64) {
        self.user = user
        self.name = name
        self.role = role
        self.addedBy = addedBy
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

/// Projects and their members. Each method is one durable transaction. Throws ``PeopleChange``.
package protocol ProjectRepository: Sendable {
    /// Without those that are being deleted.
    func projects(
        visible: Visibility, text: String?, order: ListOrder, page: Int, perPage: Int
    ) async throws -> Page<ProjectRow>
    func project(_ id: ProjectID) async throws -> ProjectRow?
    func createProject(
        name: String, description: String, owner: UserID?, by actor: String, key: String?, at: Int64
    ) async throws -> ProjectRow
    func changeProject(_ id: ProjectID, _ edit: ProjectEdit, expected: Int?, at: Int64) async throws -> ProjectRow
    /// By name.
    func members(of project: ProjectID, page: Int, perPage: Int) async throws -> Page<MemberRow>
    func member(_ user: UserID, of project: ProjectID) async throws -> MemberRow?
    /// Adds a member or changes the role of one.
    ///
    /// - Returns: the member, and whether it is new. Throws ``PeopleChange/notFound`` for an unknown user.
    func setMember(
        _ user: UserID, _ role: Role, of project: ProjectID, by actor: String, at: Int64
    ) async throws -> (row: MemberRow, isNew: Bool)
    /// False where there is no such member.
    func removeMember(_ user: UserID, of project: ProjectID) async throws -> Bool
}
