package import AnsFlowProtocol

/// What a key, and so a caller, may do. `admin` includes everything but `webhook`; `write` and `run` include `read`.
package enum Scope: String, Codable, Sendable, CaseIterable {
    case read, run, write, admin, webhook
}

/// Who makes a request, after it was checked.
package struct Principal: Equatable, Sendable {
    package enum Kind: Hashable, Sendable {
        case session(Int64)
        case apiKey(Int64)
    }

    package var user: UserID
    package var name: String
    package var kind: Kind
    /// What it may do, all inclusions spelled out.
    package var scopes: Set<Scope>
    /// Whether its user may do everything in every project, within ``scopes``.
    package var isAdministrator: Bool

    package init(user: UserID, name: String, kind: Kind, scopes: Set<Scope>, isAdministrator: Bool = false) {
        self.user = user
        self.name = name
        self.kind = kind
        self.scopes = scopes
        self.isAdministrator = isAdministrator
    }
}

/// What a login or a refresh hands out.
package struct TokenPair: Equatable, Sendable {
    package var accessToken: String
    package var refreshToken: String
    /// Seconds until the access token expires.
    package var expiresIn: Int

    package init(accessToken: String, refreshToken: String, expiresIn: Int) {
        self.accessToken = accessToken
        self.refreshToken = refreshToken
        self.expiresIn = expiresIn
    }
}

package enum LoginFailure: Error, Equatable, Sendable {
    /// Unknown user, wrong password, spent or unknown refresh token: the caller is not told which.
    case refused
    /// Too many tries or too many logins at once; seconds to wait.
    case tooMany(retryAfter: Int)
}

/// A secret that is shown once.
package struct IssuedSecret: Equatable, Sendable {
    package var text: String
    package var expiresAt: Int64

    package init(text: String, expiresAt: Int64) {
        self.text = text
        self.expiresAt = expiresAt
    }
}

/// Checks who a caller is. Both calls are on the path of every request and must be quick.
package protocol Authenticating: Sendable {
    /// The owner of an access token or API key; nil where it is wrong, expired or revoked.
    func authenticate(bearer: String) async throws -> Principal?
    /// Whether `principal`, checked before, may still go on: asked for open sockets every few seconds.
    func isStillValid(_ principal: Principal) async -> Bool
}

/// Logging in and out with a password.
package protocol LoginService: Sendable {
    /// - Throws: ``LoginFailure``, or what the store throws.
    func login(username: String, password: String, remote: String) async throws -> TokenPair
    /// Spends the refresh token for new ones; the second use of one ends the whole session.
    func refresh(_ refreshToken: String, remote: String) async throws -> TokenPair
    /// Ends the session of `principal`; does nothing for an API key.
    func logout(_ principal: Principal) async throws
}

/// One-use tickets that open a WebSocket where a client can't send headers.
package protocol TicketService: Sendable {
    /// Nil where too many are open.
    func issueTicket(for principal: Principal) -> IssuedSecret?
    func redeemTicket(_ text: String) -> Principal?
}

/// API keys for oneself.
package protocol APIKeyService: Sendable {
    /// The key's row and its text, which is never readable again.
    func createKey(name: String, scopes: [Scope], expiresAt: Int64?, for principal: Principal) async throws
        -> (row: APIKeyRow, text: String)
    func keys(of principal: Principal) async throws -> [APIKeyRow]
    /// False where the user has no such key. It stops working at once.
    func deleteKey(_ id: Int64, of user: UserID) async throws -> Bool
}

/// Tokens that let a new machine enrol as an agent.
package protocol EnrolmentTokenService: Sendable {
    /// Makes a one-use token. With `agent` it re-keys that agent.
    func issueEnrolmentToken(agent: AgentID?, by actor: String) async throws -> IssuedSecret
}
