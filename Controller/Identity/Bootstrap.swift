import AnsFlowProtocol
package import ControllerCore

/// What the very first start does.
package enum Bootstrap {
    package static let administrator = "admin"

    /// Makes the user `admin` where there is no user at all.
    ///
    /// - Parameter passwordFromEnvironment: The password to use; nil or empty for a random one.
    /// - Returns: The random password, to be printed once; nil where none was made.
    package static func firstAdministrator(
        _ repository: any IdentityRepository, passwordFromEnvironment given: String?, hasher: PasswordHasher, now: Int64
    ) async throws -> String? {
        guard try await repository.userCount() == 0 else { return nil }
        let chosen = given.flatMap { $0.isEmpty ? nil : $0 }
        let password = chosen ?? Secrets.password()
        let user = UserRow(
            id: UserID(0), name: administrator, passwordHash: try await hasher.make(password), isAdministrator: true,
            createdAt: now)
        _ = try await repository.addUser(user)
        return chosen == nil ? password : nil
    }
}
