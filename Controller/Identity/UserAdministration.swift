import AnsFlowProtocol
package import ControllerCore

/// What an operator does with users on the controller's own host, where no login is needed.
package struct UserAdministration: Sendable {
    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    private let repository: any IdentityRepository
    private let hasher: PasswordHasher
    private let clock: WallClock

    package init(_ repository: any IdentityRepository, hasher: PasswordHasher, clock: @escaping WallClock) {
        self.repository = repository
        self.hasher = hasher
        self.clock = clock
    }

    /// - Returns: The random password where none was given.
    package func create(_ name: String, isAdministrator: Bool, password: String?) async throws -> String? {
        guard !name.isEmpty, name.utf8.count <= 128, name.utf8.allSatisfy({ $0 > 32 && $0 != 127 }) else {
            throw Failure(description: "A user's name has 1 to 128 bytes, no spaces and no control characters.")
        }
        guard try await repository.user(named: name) == nil else {
            throw Failure(description: "There is a user \(name) already.")
        }
        let chosen = try check(password)
        let text = chosen ?? Secrets.password()
        _ = try await repository.addUser(
            UserRow(
                id: UserID(0), name: name, passwordHash: try await hasher.make(text),
                isAdministrator: isAdministrator, createdAt: clock()))
        return chosen == nil ? text : nil
    }

    /// Gives a user another password and ends all of its logins.
    ///
    /// - Returns: The random password where none was given.
    package func resetPassword(of name: String, password: String?) async throws -> String? {
        guard let user = try await repository.user(named: name) else {
            throw Failure(description: "There is no user \(name). See: ansflow-controller user list")
        }
        let chosen = try check(password)
        let text = chosen ?? Secrets.password()
        try await repository.setPasswordHash(try await hasher.make(text), of: user.id)
        try await repository.revokeSessions(of: user.id)
        return chosen == nil ? text : nil
    }

    private func check(_ password: String?) throws -> String? {
        guard let password, !password.isEmpty else { return nil }
        guard (12...1024).contains(password.utf8.count) else {
            throw Failure(description: "A password has 12 to 1024 bytes.")
        }
        return password
    }
}
