import AnsFlowProtocol
import ControllerCore
import Testing

@testable import ControllerStore

@Suite struct EnrolmentTests {
    private func enrol(_ database: Database, token: String = "t", key: String, name: String, at: Int64 = 10)
        async throws -> AgentRow
    {
        try await database.enrol(tokenHash: token, key: key, name: name, labels: [:], slots: 1, at: at)
    }

    private func token(_ database: Database, _ hash: String = "t", agent: AgentID? = nil) async throws {
        try await database.addEnrolmentToken(hash: hash, agent: agent, expiresAt: 100, by: "admin", at: 1)
    }

    @Test func ofManyKeysThatUseOneTokenAtOnceOneWins() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let database = try scratch.open()
        try await token(database)
        let outcomes = await withTaskGroup(of: Result<AgentRow, any Error>.self) { group in
            for key in 0..<8 {
                group.addTask {
                    do {
                        return .success(
                            try await database.enrol(
                                tokenHash: "t", key: "k\(key)", name: "n\(key)", labels: [:], slots: 1, at: 10))
                    } catch { return .failure(error) }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        let winners = outcomes.compactMap { try? $0.get() }
        #expect(winners.count == 1)
        for case .failure(let error) in outcomes { #expect(error as? EnrolmentRefusal == .badToken) }
        #expect(try await database.agents() == winners)
    }

    @Test func theSameKeyGetsTheSameAgentAgain() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let database = try scratch.open()
        try await token(database)
        let first = try await enrol(database, key: "k", name: "n")
        #expect(try await enrol(database, key: "k", name: "n", at: 500) == first)
        #expect(try await database.agent(key: "k") == first)
        #expect(try await database.agent(named: "n") == first)
        await #expect(throws: EnrolmentRefusal.badToken) { try await enrol(database, key: "other", name: "m") }
    }

    @Test func unknownAndExpiredTokensAreRefused() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let database = try scratch.open()
        try await token(database)
        await #expect(throws: EnrolmentRefusal.badToken) { try await enrol(database, token: "x", key: "k", name: "n") }
        await #expect(throws: EnrolmentRefusal.badToken) { try await enrol(database, key: "k", name: "n", at: 100) }
        #expect(try await database.agents() == [])
    }

    @Test func aTakenNameLeavesTheTokenUnused() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let database = try scratch.open()
        try await database.seed()
        try await token(database)
        await #expect(throws: EnrolmentRefusal.nameTaken) { try await enrol(database, key: "k", name: "a1") }
        #expect(try await enrol(database, key: "k", name: "a2").name == "a2")
    }

    @Test func aNewKeyKeepsTheAgentAndEndsTheOldKey() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let database = try scratch.open()
        try await database.seed()
        try await token(database, agent: AgentID(1))
        let row = try await enrol(database, key: "new", name: "ignored")
        #expect(row.id == AgentID(1) && row.name == "a1" && row.key == "new")
        #expect(try await database.agent(key: "k1") == nil)
        // The first token with the first key no longer opens anything.
        await #expect(throws: EnrolmentRefusal.badToken) {
            try await enrol(database, token: "token-a1", key: "k1", name: "a1")
        }
    }

    @Test func aRevokedAgentStaysOutAndGivesItsNameFree() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let database = try scratch.open()
        try await database.seed()
        var agent = try #require(try await database.agent(AgentID(1)))
        agent.revoked = true
        var batch = batch()
        batch.agents = [agent]
        try await database.commit(batch)
        try await token(database, "rekey", agent: AgentID(1))
        try await token(database, "new")
        for attempt in [("rekey", "k2"), ("new", "k1"), ("token-a1", "k1")] {
            await #expect(throws: EnrolmentRefusal.revoked) {
                try await enrol(database, token: attempt.0, key: attempt.1, name: "z")
            }
        }
        let next = try await enrol(database, token: "new", key: "k3", name: "a1")
        #expect(next.id == AgentID(2))
        #expect(try await database.agent(named: "a1") == next)
    }
}
