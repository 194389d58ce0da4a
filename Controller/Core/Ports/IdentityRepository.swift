import AnsFlowProtocol

package struct UserRow: Equatable, Sendable {
    package var id: UserID
    package var name: String
    /// Algorithm, cost, salt and hash in one text.
    package var passwordHash: String
    package var isAdministrator: Bool
    package var disabled: Bool
    package var createdAt: Int64
    /// Grows with each change.
    package var version: Int
    package var updatedAt: Int64

    package init(
        id: UserID, name: String, passwordHash: String, isAdministrator: Bool, disabled: Bool = false, createdAt: Int64,
        version: Int = 1, updatedAt: Int64? = nil
    ) {
        self.id = id
        self.name = name
        self.passwordHash = passwordHash
        self.isAdministrator = isAdministrator
        self.disabled = disabled
        self.createdAt = createdAt
        self.version = version
        self.updatedAt = updatedAt ?? createdAt
    }
}

/// Who holds a session's secret.
package enum SessionKind: String, Codable, Sendable, CaseIterable {
    /// A client with an access and a refresh token.
    case token
    /// A browser with a cookie.
    case browser
}

/// One login. Refreshing rotates `refreshHash`; the use of a spent one revokes the whole session.
package struct LoginSessionRow: Equatable, Sendable {
    /// The `jti` family of its access tokens.
    package var id: Int64
    package var user: UserID
    package var refreshHash: String
    package var spentHashes: [String]
    package var createdAt: Int64
    package var expiresAt: Int64
    package var revoked: Bool
    package var remote: String
    package var kind: SessionKind
    /// Exact to a minute.
    package var lastUsedAt: Int64

    package init(
        id: Int64 = 0, user: UserID, refreshHash: String, spentHashes: [String] = [], createdAt: Int64,
        expiresAt: Int64, revoked: Bool = false, remote: String, kind: SessionKind = .token, lastUsedAt: Int64? = nil
    ) {
        self.id = id
        self.user = user
        self.refreshHash = refreshHash
        self.spentHashes = spentHashes
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.revoked = revoked
        self.remote = remote
        self.kind = kind
        self.lastUsedAt = lastUsedAt ?? createdAt
    }
}

package struct APIKeyRow: Equatable, Sendable {
    package var id: Int64
    package var user: UserID
    package var name: String
    /// SHA-256 of the key, lower-case hex.
    package var hash: String
    /// The first characters, for telling keys apart.
    package var prefix: String
    package var scopes: [String]
    package var createdAt: Int64
    package var expiresAt: Int64?
    package var lastUsedAt: Int64?

    package init(
        id: Int64 = 0, user: UserID, name: String, hash: String, prefix: String, scopes: [String], createdAt: Int64,
        expiresAt: Int64?, lastUsedAt: Int64? = nil
    ) {
        self.id = id
        self.user = user
        self.name = name
        self.hash = hash
        self.prefix = prefix
        self.scopes = scopes
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.lastUsedAt = lastUsedAt
    }
}

/// Users, their logins and keys. Each method is one durable transaction.
package protocol IdentityRepository: Sendable {
    /// Moves after every commit that ends a login or changes what a user may do: see ``AccessRepository/accessVersion``.
    var accessVersion: UInt64 { get }
    func userCount() async throws -> Int
    func user(named name: String) async throws -> UserRow?
    func user(_ id: UserID) async throws -> UserRow?
    /// The row's id is ignored; the stored row comes back.
    func addUser(_ row: UserRow) async throws -> UserRow
    func setPasswordHash(_ hash: String, of user: UserID) async throws

    func addSession(_ row: LoginSessionRow) async throws -> LoginSessionRow
    func session(_ id: Int64) async throws -> LoginSessionRow?
    func session(refreshHash: String) async throws -> LoginSessionRow?
    func updateSession(_ row: LoginSessionRow) async throws
    func revokeSessions(of user: UserID) async throws
    /// Notes that a session is in use.
    func touchSession(_ id: Int64, at: Int64) async throws

    func addAPIKey(_ row: APIKeyRow) async throws -> APIKeyRow
    func apiKey(hash: String) async throws -> APIKeyRow?
    func apiKeys(of user: UserID) async throws -> [APIKeyRow]
    /// False where there is no such key of this user.
    func deleteAPIKey(_ id: Int64, of user: UserID) async throws -> Bool
    func touchAPIKey(_ id: Int64, at: Int64) async throws
}
