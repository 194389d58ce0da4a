import ControllerCore
import JWTKit
import Synchronization
import Testing

@testable import ControllerIdentity

/// Rows 23, 24 and 26 of the security list: what guesses and forged tokens cost and give.
@Suite struct AttackTests {
    private let identities = MemoryIdentities()
    private let clock = ManualClock()
    private static let key = [UInt8](repeating: 7, count: 32)

    private func service() async throws -> (service: SessionService, hasher: PasswordHasher) {
        var configuration = IdentityConfiguration()
        configuration.password = PasswordCost(rounds: 16, blockSize: 1, parallelism: 1)
        let hasher = PasswordHasher(configuration)
        _ = try await Bootstrap.firstAdministrator(
            identities, passwordFromEnvironment: "right", hasher: hasher, now: clock.now)
        let clock = self.clock
        let service = await SessionService(
            identities, signingKey: Self.key, hasher: hasher, configuration: configuration, clock: { clock.now })
        return (service, hasher)
    }

    /// A token of anything, signed with the controller's own key.
    private struct Loose: JWTPayload {
        var sub: String? = "1"
        var jti: String? = "1"
        var aud: String? = "ansflow"
        var iat: Int64?
        var exp: Int64?

        func verify(using key: some JWTAlgorithm) async throws {}
    }

    private func signed(_ claims: Loose) async throws -> String {
        let keys = JWTKeyCollection()
        let kid = JWKIdentifier(string: String(Secrets.hash("kid" + Secrets.hex(Self.key)).prefix(16)))
        await keys.add(hmac: HMACKey(from: Self.key), digestAlgorithm: .sha256, kid: kid)
        return try await keys.sign(claims, kid: kid)
    }

    @Test func tokensOfTheRightKeyNeedTheRightClaims() async throws {
        let (service, _) = try await service()
        let pair = try await service.login(username: "admin", password: "right", remote: "10.0.0.1")
        let now = clock.now / 1000
        let good = Loose(iat: now, exp: now + 100)
        #expect(try await service.authenticate(bearer: signed(good)) != nil, "as the controller's own")
        var bad: [Loose] = [Loose(iat: now), Loose(iat: now - 100, exp: now - 1), Loose(iat: now, exp: now)]
        for change: @Sendable (inout Loose) -> Void in [
            { $0.aud = "others" }, { $0.aud = nil }, { $0.sub = nil }, { $0.sub = "x" }, { $0.sub = "999" },
            { $0.jti = nil }, { $0.jti = "999" }, { $0.jti = "x" },
        ] {
            var claims = good
            change(&claims)
            bad.append(claims)
        }
        for claims in bad {
            #expect(try await service.authenticate(bearer: signed(claims)) == nil, "\(claims)")
        }
        #expect(try await service.authenticate(bearer: pair.refreshToken) == nil, "a refresh token is none")
    }

    /// Each try costs one hash, whoever is named: nobody can tell by time or load who is known.
    @Test func knownAndUnknownUsersCostTheSame() async throws {
        let (service, hasher) = try await service()
        for (index, name) in ["admin", "nobody", "nobody", "admin", "no\u{0}body", ""].enumerated() {
            let before = await hasher.hashes
            await #expect(throws: LoginFailure.refused) {
                _ = try await service.login(username: name, password: "wrong", remote: "10.0.\(index).1")
            }
            #expect(await hasher.hashes - before == 1, "\(name)")
        }
        let user = try #require(identities.state.withLock { $0.users.first?.id })
        identities.disable(user)
        let before = await hasher.hashes
        await #expect(throws: LoginFailure.refused) {
            _ = try await service.login(username: "admin", password: "right", remote: "10.1.0.1")
        }
        #expect(await hasher.hashes - before == 1, "a disabled one too")
    }

    /// 1,000 tries from one address and from many lock nobody out.
    @Test func guessesLockNobodyOut() async throws {
        let (service, _) = try await service()
        for guess in 0..<1_000 {
            let remote = guess % 2 == 0 ? "10.6.6.6" : "10.7.\(guess / 250).\(guess % 250)"
            _ = try? await service.login(username: "admin", password: "guess", remote: remote)
        }
        _ = try await service.login(username: "admin", password: "right", remote: "10.0.0.1")
    }
}
