import AnsFlowProtocol
import ControllerCore
import Testing

@testable import ControllerStore

@Suite struct IdentityTests {
    private func opened() async throws -> (Scratch, Database, UserRow) {
        let scratch = Scratch()
        let database = try scratch.open()
        let user = try await database.addUser(
            UserRow(id: UserID(99), name: "admin", passwordHash: "h", isAdministrator: true, createdAt: 5))
        return (scratch, database, user)
    }

    @Test func usersAreKeptByName() async throws {
        let (scratch, database, user) = try await opened()
        defer { scratch.remove() }
        #expect(user.id == UserID(1))
        #expect(try await database.userCount() == 1)
        #expect(try await database.user(named: "admin") == user)
        #expect(try await database.user(named: "nobody") == nil)
        await #expect(throws: CommitFailure.self) { try await database.addUser(user) }
        try await database.setPasswordHash("new", of: user.id)
        #expect(try await database.user(user.id)?.passwordHash == "new")
        await #expect(throws: CommitFailure.self) { try await database.setPasswordHash("x", of: UserID(7)) }
    }

    @Test func refreshingRotatesAndSpentHashesAreFound() async throws {
        let (scratch, database, user) = try await opened()
        defer { scratch.remove() }
        var session = try await database.addSession(
            LoginSessionRow(user: user.id, refreshHash: "r1", createdAt: 1, expiresAt: 100, remote: "::1"))
        for next in ["r2", "r3"] {
            session.spentHashes.append(session.refreshHash)
            session.refreshHash = next
            session.expiresAt += 1
            try await database.updateSession(session)
        }
        for hash in ["r1", "r2", "r3"] { #expect(try await database.session(refreshHash: hash) == session) }
        #expect(try await database.session(session.id) == session)
        #expect(session.spentHashes == ["r1", "r2"])
        #expect(try await database.session(refreshHash: "r4") == nil)
        session.revoked = true
        try await database.updateSession(session)
        session.revoked = false
        try await database.updateSession(session)
        #expect(try await database.session(session.id)?.revoked == true, "what was revoked stays so")
    }

    @Test func ofTwoRefreshesWithOneHashTheSecondIsRefused() async throws {
        let (scratch, database, user) = try await opened()
        defer { scratch.remove() }
        let session = try await database.addSession(
            LoginSessionRow(user: user.id, refreshHash: "r1", createdAt: 1, expiresAt: 100, remote: ""))
        var left = session
        left.refreshHash = "left"
        left.spentHashes = ["r1"]
        var right = left
        right.refreshHash = "right"
        try await database.updateSession(left)
        await #expect(throws: CommitFailure.self) { try await database.updateSession(right) }
        #expect(try await database.session(session.id) == left)
        try await database.revokeSessions(of: user.id)
        #expect(try await database.session(session.id)?.revoked == true)
    }

    @Test func keysBelongToTheirUser() async throws {
        let (scratch, database, user) = try await opened()
        defer { scratch.remove() }
        let other = try await database.addUser(
            UserRow(id: UserID(0), name: "b", passwordHash: "", isAdministrator: false, disabled: true, createdAt: 6))
        let key = try await database.addAPIKey(
            APIKeyRow(
                user: user.id, name: "ci", hash: "hash", prefix: "ans_", scopes: ["runs:read", "é"], createdAt: 1,
                expiresAt: nil))
        #expect(try await database.apiKey(hash: "hash") == key)
        #expect(try await database.apiKeys(of: user.id) == [key])
        #expect(try await database.apiKeys(of: other.id) == [])
        try await database.touchAPIKey(key.id, at: 100_000)
        try await database.touchAPIKey(key.id, at: 130_000)
        #expect(try await database.apiKey(hash: "hash")?.lastUsedAt == 100_000, "exact to a minute")
        try await database.touchAPIKey(key.id, at: 160_000)
        #expect(try await database.apiKey(hash: "hash")?.lastUsedAt == 160_000)
        #expect(try await database.deleteAPIKey(key.id, of: other.id) == false)
        #expect(try await database.deleteAPIKey(key.id, of: user.id))
        #expect(try await database.apiKey(hash: "hash") == nil)
    }
}
