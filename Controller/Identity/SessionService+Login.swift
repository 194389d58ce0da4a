package import ControllerCore
import Synchronization

extension SessionService: LoginService {
    static let nameBytesMax = 128
    static let passwordBytesMax = 1024

    package func login(username: String, password: String, remote: String) async throws -> TokenPair {
        let known = try await verified(username: username, password: password, remote: remote)
        let now = clock()
        let refresh = Secrets.token()
        let session = try await repository.addSession(
            LoginSessionRow(
                user: known.id, refreshHash: Secrets.hash(refresh), createdAt: now,
                expiresAt: now + configuration.refreshTokenLifeMs, remote: remote))
        return try await pair(session, refresh)
    }

    /// The user whose password this is. Known and unknown users take the same way: one hash each.
    func verified(username: String, password: String, remote: String) async throws -> UserRow {
        let now = clock()
        let name = String(username.prefix(Self.nameBytesMax))
        let wait = state.withLock { state -> Int64? in
            if let wait = state.backoff.wait(account: name, address: remote, now: now) { return wait }
            state.backoff.began(account: name, address: remote, now: now)
            return nil
        }
        if let wait { throw LoginFailure.tooMany(retryAfter: Int((wait + 999) / 1000)) }
        let fits = username.utf8.count <= Self.nameBytesMax && password.utf8.count <= Self.passwordBytesMax
        let user = fits ? try await repository.user(named: name) : nil
        let known = user.flatMap { $0.disabled ? nil : $0 }
        let result: (matches: Bool, rehashed: String?)
        do {
            result = try await hasher.check(fits ? password : "", stored: known?.passwordHash)
        } catch is PasswordHasher.Busy {
            throw LoginFailure.tooMany(retryAfter: 2)
        }
        guard result.matches, let known else { throw LoginFailure.refused }
        state.withLock { $0.backoff.succeeded(account: name, address: remote) }
        if let rehashed = result.rehashed { try await repository.setPasswordHash(rehashed, of: known.id) }
        return known
    }

    package func refresh(_ refreshToken: String, remote: String) async throws -> TokenPair {
        try await sessionLock.run { try await self.rotate(refreshToken) }
    }

    package func logout(_ principal: Principal) async throws {
        guard case .session(let id) = principal.kind else { return }
        try await sessionLock.run {
            guard var session = try await self.repository.session(id) else { return }
            session.revoked = true
            try await self.repository.updateSession(session)
            self.forget(principal.kind)
        }
    }

    private func rotate(_ refreshToken: String) async throws -> TokenPair {
        let hash = Secrets.hash(refreshToken)
        guard var session = try await repository.session(refreshHash: hash) else { throw LoginFailure.refused }
        guard session.kind == .token else { throw LoginFailure.refused }
        guard session.refreshHash == hash else {
            // A spent token: either a thief or its victim uses it, and nobody can tell which. Both are out.
            session.revoked = true
            try await repository.updateSession(session)
            forget(.session(session.id))
            throw LoginFailure.refused
        }
        let now = clock()
        guard !session.revoked, session.expiresAt > now, let user = try await repository.user(session.user),
            !user.disabled
        else { throw LoginFailure.refused }
        let fresh = Secrets.token()
        session.spentHashes.append(hash)
        if session.spentHashes.count > configuration.spentTokensMax { session.spentHashes.removeFirst() }
        session.refreshHash = Secrets.hash(fresh)
        session.lastUsedAt = now
        session.expiresAt = now + configuration.refreshTokenLifeMs
        try await repository.updateSession(session)
        return try await pair(session, fresh)
    }

    private func pair(_ session: LoginSessionRow, _ refresh: String) async throws -> TokenPair {
        let seconds = clock() / 1000
        let life = configuration.accessTokenLifeMs / 1000
        let claims = AccessTokens.Claims(
            sub: String(session.user.rawValue), jti: String(session.id), aud: AccessTokens.audience, iat: seconds,
            exp: seconds + life)
        return TokenPair(
            accessToken: try await tokens.sign(claims), refreshToken: refresh, expiresIn: Int(life))
    }
}
