package import ControllerCore
import Crypto
import Synchronization

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension SessionService: BrowserLogins {
    package func browserLogin(username: String, password: String, remote: String) async throws -> BrowserSession {
        let user = try await verified(username: username, password: password, remote: remote)
        let now = clock()
        let cookie = Secrets.token()
        let session = try await repository.addSession(
            LoginSessionRow(
                user: user.id, refreshHash: Self.hash(cookie: cookie), createdAt: now,
                expiresAt: now + configuration.browserLifeMs, remote: remote, kind: .browser, lastUsedAt: now))
        return BrowserSession(
            principal: principal(of: user, session: session.id), cookie: cookie, expiresAt: session.expiresAt)
    }

    package func authenticate(cookie: String) async throws -> Principal? {
        guard cookie.utf8.count <= 128 else { return nil }
        let now = clock()
        let hash = Self.hash(cookie: cookie)
        let version = repository.accessVersion
        let (cached, revocations) = state.withLock { state in
            state.follow(version)
            return (state.cache.principal(hash, now: now), state.revocations)
        }
        if let cached { return cached }
        guard let row = try await repository.session(refreshHash: hash), row.kind == .browser,
            let session = try await liveSession(row.id, now), let user = try await repository.user(session.user),
            !user.disabled
        else { return nil }
        if now - session.lastUsedAt >= 60_000 { try? await repository.touchSession(session.id, at: now) }
        let principal = principal(of: user, session: session.id)
        state.withLock { state in
            guard state.revocations == revocations, state.version == version else { return }
            state.cache.insert(
                hash, principal, until: min(session.expiresAt, now + configuration.authenticationCacheMs))
        }
        return principal
    }

    package func forgeryToken(of principal: Principal) -> String {
        var text = "forgery"
        if case .session(let id) = principal.kind { text += ":\(id)" }
        let code = HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: SymmetricKey(data: signingKey))
        return Secrets.base64URL(Array(code))
    }

    package func isForgeryToken(_ text: String, of principal: Principal) -> Bool {
        Secrets.equal(Array(text.utf8), Array(forgeryToken(of: principal).utf8))
    }

    /// Never the hash of a refresh token: one can't be used as the other.
    private static func hash(cookie: String) -> String { Secrets.hash("browser:" + cookie) }

    func principal(of user: UserRow, session: Int64) -> Principal {
        Principal(
            user: user.id, name: user.name, kind: .session(session), scopes: Self.scopes(of: user),
            isAdministrator: user.isAdministrator)
    }
}
