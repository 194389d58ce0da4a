import AnsFlowProtocol
import ControllerCore
import GRDB

/// One use of an enrolment token, inside a transaction on the writer: of two keys that come at once, one wins.
struct Enrolment {
    let db: Connection
    let tokenHash: String
    let key: String
    let name: String
    let labels: [String: String]
    let slots: Int
    let at: Int64

    private struct Token {
        var agent: AgentID?
        var expiresAt: Int64
        var usedKey: String?
        var usedAgent: AgentID?
    }

    func perform() throws -> AgentRow {
        guard let token = try token() else { throw EnrolmentRefusal.badToken }
        if let usedKey = token.usedKey, let usedAgent = token.usedAgent {
            return try again(usedKey, usedAgent)
        }
        guard at < token.expiresAt else { throw EnrolmentRefusal.badToken }
        let row = try token.agent.map(rekey) ?? newAgent()
        try db.run("UPDATE enrolment_tokens SET used_key = ?, used_agent = ?, used_at = ? WHERE hash = ?") {
            $0.add(key)
            $0.add(row.id)
            $0.add(at)
            $0.add(tokenHash)
        }
        return row
    }

    /// The answer may have been lost on its way. It is given again only while the agent still has that key.
    private func again(_ usedKey: String, _ usedAgent: AgentID) throws -> AgentRow {
        guard usedKey == key, let row = try Database.agent(db, usedAgent), row.key == key else {
            throw EnrolmentRefusal.badToken
        }
        guard !row.revoked else { throw EnrolmentRefusal.revoked }
        return row
    }

    private func rekey(_ id: AgentID) throws -> AgentRow {
        guard var row = try Database.agent(db, id) else { throw EnrolmentRefusal.badToken }
        guard !row.revoked else { throw EnrolmentRefusal.revoked }
        if let holder = try Database.agent(db, key: key), holder.id != id {
            throw holder.revoked ? EnrolmentRefusal.revoked : EnrolmentRefusal.badToken
        }
        try db.run("UPDATE agents SET key = ? WHERE id = ?") {
            $0.add(key)
            $0.add(id)
        }
        row.key = key
        return row
    }

    private func newAgent() throws -> AgentRow {
        // An agent is its key: a known one stays the agent that it is.
        if let row = try Database.agent(db, key: key) {
            guard !row.revoked else { throw EnrolmentRefusal.revoked }
            return row
        }
        let taken = try db.first("SELECT 1 FROM agents WHERE name = ? AND revoked = 0", { $0.add(name) }) { $0.bool() }
        guard taken == nil else { throw EnrolmentRefusal.nameTaken }
        try db.run(
            """
            INSERT INTO agents (name, key, labels, slots, version, containment, paused, draining, revoked, created_at)
            VALUES (?, ?, ?, ?, '', '', 0, 0, 0, ?)
            """
        ) {
            $0.add(name)
            $0.add(key)
            $0.add(labels)
            $0.add(slots)
            $0.add(at)
        }
        return AgentRow(
            id: AgentID(rawValue: db.lastInsertedRowID), name: name, key: key, labels: labels, slots: slots,
            createdAt: at)
    }

    private func token() throws -> Token? {
        try db.first(
            "SELECT agent, expires_at, used_key, used_agent FROM enrolment_tokens WHERE hash = ?", { $0.add(tokenHash) }
        ) {
            Token(agent: $0.idOrNil(), expiresAt: $0.int64(), usedKey: $0.textOrNil(), usedAgent: $0.idOrNil())
        }
    }
}
