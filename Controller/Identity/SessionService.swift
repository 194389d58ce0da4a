import AnsFlowProtocol
package import ControllerCore
import Synchronization

/// Logins, tokens, keys and tickets: everything that says who a caller is.
///
/// All methods may be called from any task. Texts that grant access are stored as hashes only.
package final class SessionService: Sendable {
    struct State {
        var backoff: LoginBackoff
        var cache: AuthenticationCache
        /// The repository's version that the cache was read under.
        var version: UInt64 = 0
        var tickets: TicketBox
        /// Keys whose use was noted, with when.
        var touched: [Int64: Int64] = [:]
        /// Counts revocations: a check that began before one is not cached after it.
        var revocations = 0

        /// Forgets what was believed before anything changed for anybody.
        mutating func follow(_ now: UInt64) {
            if now != version {
                version = now
                cache.clear()
            }
        }
    }

    let repository: any IdentityRepository
    let configuration: IdentityConfiguration
    let hasher: PasswordHasher
    let tokens: AccessTokens
    let clock: WallClock
    let signingKey: [UInt8]
    let state: Mutex<State>
    /// Held while a session is read and then changed.
    let sessionLock = AsyncLock()

    /// - Parameter signingKey: From ``SigningKey/load(_:)``.
    package init(
        _ repository: any IdentityRepository, signingKey: [UInt8], hasher: PasswordHasher,
        configuration: IdentityConfiguration = .init(), clock: @escaping WallClock
    ) async {
        self.repository = repository
        self.configuration = configuration
        self.hasher = hasher
        self.clock = clock
        self.signingKey = signingKey
        tokens = await AccessTokens(key: signingKey)
        state = Mutex(
            State(
                backoff: LoginBackoff(free: configuration.freeFailures, waitMaxMs: configuration.backoffMaxMs),
                cache: AuthenticationCache(limit: configuration.authenticationCacheMax),
                tickets: TicketBox(limit: configuration.ticketsMax)))
    }

    /// Forgets what was believed of a session or key that has just ended.
    func forget(_ kind: Principal.Kind) {
        state.withLock {
            $0.cache.forget(kind)
            $0.revocations += 1
        }
    }

    /// What a user of this kind may do at most.
    static func scopes(of user: UserRow) -> Set<Scope> {
        user.isAdministrator ? [.read, .run, .write, .admin] : [.read, .run, .write]
    }

    /// A key's scopes with what they include, within what its owner may do.
    static func scopes(of key: APIKeyRow, owner: UserRow) -> Set<Scope> {
        var scopes = Set(key.scopes.compactMap(Scope.init(rawValue:)))
        let webhook = scopes.remove(.webhook)
        if scopes.contains(.admin) { scopes.formUnion([.read, .run, .write]) }
        if !scopes.isEmpty { scopes.insert(.read) }
        scopes.formIntersection(Self.scopes(of: owner))
        if let webhook { scopes.insert(webhook) }
        return scopes
    }
}
