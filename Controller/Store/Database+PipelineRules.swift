import AnsFlowProtocol
import ControllerCore
import GRDB

extension Database {
    /// Notification rules and forge connections that are for one pipeline alone, which goes in the same transaction.
    static func removeRules(_ db: Connection, of pipeline: PipelineID) throws {
        for table in ["notification_rules", "forge_connections"] {
            try db.run("DELETE FROM \(table) WHERE pipeline = ?") { $0.add(pipeline) }
        }
    }
}
