import AnsFlowProtocol
package import ControllerCore

/// Users as administrators and they themselves change them.
package struct Accounts: UserManaging {
    package static let passwordBytesMin = 8

    private let repository: any UserRepository
    private let hasher: PasswordHasher
    private let clock: WallClock

    package init(_ repository: any UserRepository, hasher: PasswordHasher, clock: @escaping WallClock) {
        self.repository = repository
        self.hasher = hasher
        self.clock = clock
    }

    package func users(
        text: String?, order: ListOrder, page: Int, perPage: Int
    ) async throws -> Page<UserRow> {
        try await repository.users(text: text, order: order, page: page, perPage: perPage)
    }

    package func user(_ id: UserID) async throws -> UserRow? { try await repository.user(id) }

    package func create(
        name: String, password: String, isAdministrator: Bool, key: String?
    ) async throws -> UserRow {
        let now = clock()
        return try await repository.createUser(
            UserRow(
                id: UserID(0), name: name, passwordHash: try await hash(password), isAdministrator: isAdministrator,
                createdAt: now), key: key)
    }

    package func change(_ id: UserID, _ edit: UserEdit, expected: Int?) async throws -> UserRow {
        guard try await repository.user(id) != nil else { throw PeopleChange.notFound }
        var hashed: String?
        if let password = edit.password { hashed = try await hash(password) }
        return try await repository.changeUser(id, edit, passwordHash: hashed, expected: expected, at: clock())
    }

    package func delete(_ id: UserID, expected: Int?) async throws {
        try await repository.deleteUser(id, expected: expected)
    }

    package func changeOwnPassword(from old: String, to new: String, of principal: Principal) async throws {
        guard let user = try await repository.user(principal.user) else { throw PeopleChange.notFound }
        let isRight: Bool
        do {
            isRight = try await hasher.check(old, stored: user.passwordHash).matches
        } catch is PasswordHasher.Busy {
            throw PeopleChange.busy
        }
        guard isRight else { throw PeopleChange.wrongPassword }
        var keep: Int64?
        if case .session(let id) = principal.kind { keep = id }
        try await repository.changePassword(try await hash(new), of: user.id, keep: keep, at: clock())
    }

    package func sessions(of principal: Principal) async throws -> [LoginSessionRow] {
        try await repository.liveSessions(of: principal.user, now: clock())
    }

    package func endSession(_ id: Int64, of principal: Principal) async throws -> Bool {
        try await repository.endSession(id, of: principal.user)
    }

    package func allKeys() async throws -> [OwnedKey] { try await repository.allKeys() }

    private func hash(_ password: String) async throws -> String {
        do {
            return try await hasher.make(password)
        } catch is PasswordHasher.Busy {
            throw PeopleChange.busy
        }
    }
}
