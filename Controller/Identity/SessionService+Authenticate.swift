package import ControllerCore
import Synchronization

extension SessionService: Authenticating {
    static let keyPrefix = "ansk_"

    package func authenticate(bearer: String) async throws -> Principal? {
        guard bearer.utf8.count <= AccessTokens.tokenBytesMax else { return nil }
        let now = clock()
        let hash = Secrets.hash(bearer)
        let version = repository.accessVersion
        let (cached, revocations) = state.withLock { state in
            state.follow(version)
            return (state.cache.principal(hash, now: now), state.revocations)
        }
        if let cached { return cached }
        let isKey = bearer.hasPrefix(Self.keyPrefix)
        let found = isKey ? try await principal(keyHash: hash, now) : try await principal(accessToken: bearer, now)
        guard let (principal, expiresAt) = found else { return nil }
        state.withLock { state in
            guard state.revocations == revocations, state.version == version else { return }
            state.cache.insert(hash, principal, until: min(expiresAt, now + configuration.authenticationCacheMs))
        }
        return principal
    }

    package func isStillValid(_ principal: Principal) async -> Bool {
        let now = clock()
        let version = repository.accessVersion
        let (cached, revocations) = state.withLock { state in
            state.follow(version)
            return (state.cache.isValid(principal.kind, now: now), state.revocations)
        }
        if cached { return true }
        // Where the database can't answer, the socket is closed: its owner may have been shut out.
        guard let expiresAt = try? await expiry(of: principal, now) else { return false }
        state.withLock { state in
            guard state.revocations == revocations, state.version == version else { return }
            state.cache.insert(principal.kind, until: min(expiresAt, now + configuration.authenticationCacheMs))
        }
        return true
    }

    private func principal(accessToken: String, _ now: Int64) async throws -> (Principal, Int64)? {
        guard let claims = await tokens.verify(accessToken, nowMs: now), let id = Int64(claims.jti),
            let session = try await liveSession(id, now), String(session.user.rawValue) == claims.sub,
            let user = try await repository.user(session.user), !user.disabled
        else { return nil }
        let principal = Principal(
            user: user.id, name: user.name, kind: .session(id), scopes: Self.scopes(of: user),
            isAdministrator: user.isAdministrator)
        return (principal, claims.exp * 1000)
    }

    private func principal(keyHash: String, _ now: Int64) async throws -> (Principal, Int64)? {
        guard let key = try await repository.apiKey(hash: keyHash), (key.expiresAt ?? .max) > now,
            let user = try await repository.user(key.user), !user.disabled
        else { return nil }
        try await touch(key.id, now)
        let principal = Principal(
            user: user.id, name: user.name, kind: .apiKey(key.id), scopes: Self.scopes(of: key, owner: user),
            isAdministrator: user.isAdministrator)
        return (principal, key.expiresAt ?? .max)
    }

    /// Notes a key's use, once a minute at most.
    private func touch(_ id: Int64, _ now: Int64) async throws {
        let due = state.withLock { state in
            if state.touched.count > configuration.authenticationCacheMax { state.touched = [:] }
            guard now - (state.touched[id] ?? 0) >= 60_000 else { return false }
            state.touched[id] = now
            return true
        }
        // A store that can't write now must not lock its readers out.
        if due { try? await repository.touchAPIKey(id, at: now) }
    }

    func liveSession(_ id: Int64, _ now: Int64) async throws -> LoginSessionRow? {
        guard let session = try await repository.session(id), !session.revoked, session.expiresAt > now else {
            return nil
        }
        // A browser that nobody sits at.
        if session.kind == .browser, now - session.lastUsedAt > configuration.browserIdleMs { return nil }
        return session
    }

    /// Until when `principal` is good for; nil where it has ended.
    private func expiry(of principal: Principal, _ now: Int64) async throws -> Int64? {
        guard let user = try await repository.user(principal.user), !user.disabled else { return nil }
        switch principal.kind {
        case .session(let id): return try await liveSession(id, now)?.expiresAt
        case .apiKey(let id):
            guard let key = try await repository.apiKeys(of: principal.user).first(where: { $0.id == id }) else {
                return nil
            }
            let expiresAt = key.expiresAt ?? .max
            return expiresAt > now ? expiresAt : nil
        }
    }
}
