import ControllerCore
import Synchronization
import Testing

@testable import ControllerIdentity

@Suite struct SessionServiceTests {
    let identities = MemoryIdentities()
    let clock = ManualClock()

    /// A service with cheap passwords and one administrator.
    func service(_ change: (inout IdentityConfiguration) -> Void = { _ in }) async throws -> SessionService {
        var configuration = IdentityConfiguration()
        configuration.password = PasswordCost(rounds: 16, blockSize: 1, parallelism: 1)
        change(&configuration)
        let hasher = PasswordHasher(configuration)
        let made = try await Bootstrap.firstAdministrator(
            identities, passwordFromEnvironment: "right", hasher: hasher, now: clock.now)
        #expect(made == nil)
        let clock = self.clock
        return await SessionService(
            identities, signingKey: [UInt8](repeating: 7, count: 32), hasher: hasher, configuration: configuration,
            clock: { clock.now })
    }

    @Test func loginGivesATokenThatIsBelieved() async throws {
        let service = try await service()
        let pair = try await service.login(username: "admin", password: "right", remote: "10.0.0.1")
        #expect(pair.expiresIn == 900)
        let principal = try #require(try await service.authenticate(bearer: pair.accessToken))
        #expect(principal.name == "admin")
        #expect(principal.scopes.contains(.admin))
        clock.advance(900_000)
        #expect(try await service.authenticate(bearer: pair.accessToken) == nil)
    }

    @Test func wrongPasswordAndUnknownUserAreRefusedAlike() async throws {
        let service = try await service()
        for name in ["admin", "nobody"] {
            await #expect(throws: LoginFailure.refused) {
                _ = try await service.login(username: name, password: "wrong", remote: "10.0.0.1")
            }
        }
    }

    @Test func guessingIsSlowedDownWithoutLockingOthersOut() async throws {
        let service = try await service()
        var refused = 0
        for _ in 0..<1000 {
            do {
                _ = try await service.login(username: "admin", password: "guess", remote: "10.6.6.6")
            } catch LoginFailure.tooMany(let seconds) {
                #expect(seconds >= 1)
                refused += 1
            } catch LoginFailure.refused {
            }
        }
        #expect(refused > 900)
        _ = try await service.login(username: "admin", password: "right", remote: "10.0.0.1")
        clock.advance(61_000)
        _ = try await service.login(username: "admin", password: "right", remote: "10.6.6.6")
    }

    @Test func aSpentRefreshTokenEndsTheSession() async throws {
        let service = try await service()
        let first = try await service.login(username: "admin", password: "right", remote: "10.0.0.1")
        let second = try await service.refresh(first.refreshToken, remote: "10.0.0.1")
        #expect(second.refreshToken != first.refreshToken)
        #expect(try await service.authenticate(bearer: second.accessToken) != nil)
        await #expect(throws: LoginFailure.refused) { _ = try await service.refresh(first.refreshToken, remote: "x") }
        await #expect(throws: LoginFailure.refused) { _ = try await service.refresh(second.refreshToken, remote: "x") }
        #expect(try await service.authenticate(bearer: second.accessToken) == nil)
    }

    @Test func oneRefreshTokenUsedSideBySideWinsOnceAtMost() async throws {
        let service = try await service()
        let pair = try await service.login(username: "admin", password: "right", remote: "10.0.0.1")
        let wins = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask { (try? await service.refresh(pair.refreshToken, remote: "x")) != nil }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(wins == 1)
    }

    @Test func logoutCountsAtOnce() async throws {
        let service = try await service()
        let pair = try await service.login(username: "admin", password: "right", remote: "10.0.0.1")
        let principal = try #require(try await service.authenticate(bearer: pair.accessToken))
        #expect(await service.isStillValid(principal))
        try await service.logout(principal)
        #expect(try await service.authenticate(bearer: pair.accessToken) == nil)
        #expect(await service.isStillValid(principal) == false)
        await #expect(throws: LoginFailure.refused) { _ = try await service.refresh(pair.refreshToken, remote: "x") }
    }

    @Test func aDisabledUserIsOutWithinFiveSeconds() async throws {
        let service = try await service()
        let pair = try await service.login(username: "admin", password: "right", remote: "10.0.0.1")
        let principal = try #require(try await service.authenticate(bearer: pair.accessToken))
        identities.disable(principal.user)
        clock.advance(5_000)
        #expect(try await service.authenticate(bearer: pair.accessToken) == nil)
        #expect(await service.isStillValid(principal) == false)
    }

    @Test func keysHaveTheirScopesAndEnd() async throws {
        let service = try await service()
        let pair = try await service.login(username: "admin", password: "right", remote: "10.0.0.1")
        let owner = try #require(try await service.authenticate(bearer: pair.accessToken))
        let (row, text) = try await service.createKey(
            name: "ci", scopes: [.run], expiresAt: clock.now + 100_000, for: owner)
        #expect(text.hasPrefix("ansk_"))
        #expect(!row.hash.contains(text.dropFirst(5)))
        let caller = try #require(try await service.authenticate(bearer: text))
        #expect(caller.scopes == [.run, .read])
        #expect(try await service.authenticate(bearer: text + "x") == nil)
        #expect(try await service.deleteKey(row.id, of: owner.user))
        #expect(try await service.authenticate(bearer: text) == nil)
        let (_, short) = try await service.createKey(name: "b", scopes: [.read], expiresAt: clock.now + 10, for: owner)
        #expect(try await service.authenticate(bearer: short) != nil)
        clock.advance(10)
        #expect(try await service.authenticate(bearer: short) == nil)
    }

    @Test func ticketsOpenOnce() async throws {
        let service = try await service { $0.ticketsMax = 2 }
        let pair = try await service.login(username: "admin", password: "right", remote: "10.0.0.1")
        let owner = try #require(try await service.authenticate(bearer: pair.accessToken))
        let ticket = try #require(service.issueTicket(for: owner))
        #expect(service.redeemTicket(ticket.text) == owner)
        #expect(service.redeemTicket(ticket.text) == nil)
        let late = try #require(service.issueTicket(for: owner))
        #expect(service.issueTicket(for: owner) != nil)
        #expect(service.issueTicket(for: owner) == nil)
        clock.advance(30_000)
        #expect(service.redeemTicket(late.text) == nil)
        #expect(service.issueTicket(for: owner) != nil)
    }

    @Test func forgedTokensAreRefused() async throws {
        let service = try await service()
        let pair = try await service.login(username: "admin", password: "right", remote: "10.0.0.1")
        let parts = pair.accessToken.split(separator: ".").map(String.init)
        let other = await AccessTokens(key: [UInt8](repeating: 8, count: 32))
        let claims = AccessTokens.Claims(
            sub: "1", jti: "1", aud: "ansflow", iat: clock.now / 1000, exp: clock.now / 1000 + 100)
        func header(_ text: String) -> String { Secrets.base64URL(Array(text.utf8)) }
        let bad = [
            "", ".", "..", "a.b.c", String(repeating: "a", count: 10_000), pair.accessToken + "A",
            parts[0] + "." + parts[1] + ".",
            header(#"{"alg":"none"}"#) + "." + parts[1] + ".",
            header(#"{"alg":"HS256","kid":"other"}"#) + "." + parts[1] + "." + parts[2],
            header(#"{"alg":"RS256","kid":"x"}"#) + "." + parts[1] + "." + parts[2],
            parts[0] + "." + header(#"{"sub":"1"}"#) + "." + parts[2],
            try await other.sign(claims),
        ]
        for token in bad { #expect(try await service.authenticate(bearer: token) == nil, "\(token.prefix(60))") }
    }

    @Test func aRehashFollowsANewCost() async throws {
        _ = try await service()
        let dearer = try await service { $0.password = PasswordCost(rounds: 32, blockSize: 1, parallelism: 1) }
        _ = try await dearer.login(username: "admin", password: "right", remote: "10.0.0.1")
        let stored = identities.state.withLock { $0.users[0].passwordHash }
        #expect(stored.hasPrefix("scrypt$32$1$1$"))
        _ = try await dearer.login(username: "admin", password: "right", remote: "10.0.0.1")
    }
}
