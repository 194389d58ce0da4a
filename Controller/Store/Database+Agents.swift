package import AnsFlowProtocol
package import ControllerCore
import GRDB
import Synchronization

extension Database: AgentRepository {
    package func addEnrolmentToken(hash: String, agent: AgentID?, expiresAt: Int64, by actor: String, at: Int64)
        async throws
    {
        try await write { db in
            try db.run(
                """
                INSERT INTO enrolment_tokens (hash, agent, expires_at, created_by, created_at) VALUES (?, ?, ?, ?, ?)
                """
            ) {
                $0.add(hash)
                $0.add(agent)
                $0.add(expiresAt)
                $0.add(actor)
                $0.add(at)
            }
        }
    }

    package func enrol(
        tokenHash: String, key: String, name: String, labels: [String: String], slots: Int, at: Int64
    ) async throws -> AgentRow {
        let row = try await write { db in
            try Enrolment(db: db, tokenHash: tokenHash, key: key, name: name, labels: labels, slots: slots, at: at)
                .perform()
        }
        stamps.agents.add(1, ordering: .releasing)
        return row
    }

    package func agent(key: String) async throws -> AgentRow? {
        try await read { db in try Self.agent(db, key: key) }
    }

    package func agent(_ id: AgentID) async throws -> AgentRow? {
        try await read { db in try Self.agent(db, id) }
    }

    /// A revoked agent gives its name free: where several had it, the one that is not revoked, or the newest.
    package func agent(named name: String) async throws -> AgentRow? {
        try await read { db in
            try db.first(
                "SELECT \(AgentRow.columns) FROM agents WHERE name = ? ORDER BY revoked, id DESC LIMIT 1",
                { $0.add(name) }
            ) { try AgentRow(&$0) }
        }
    }

    /// By name.
    package func agents() async throws -> [AgentRow] {
        try await read { db in
            try db.all("SELECT \(AgentRow.columns) FROM agents ORDER BY name, id") { try AgentRow(&$0) }
        }
    }

    static func agent(_ db: Connection, _ id: AgentID) throws -> AgentRow? {
        try db.first("SELECT \(AgentRow.columns) FROM agents WHERE id = ?", { $0.add(id) }) { try AgentRow(&$0) }
    }

    static func agent(_ db: Connection, key: String) throws -> AgentRow? {
        try db.first("SELECT \(AgentRow.columns) FROM agents WHERE key = ?", { $0.add(key) }) { try AgentRow(&$0) }
    }
}
