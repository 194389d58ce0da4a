import AnsFlowProtocol
import ControllerCore

extension AgentRow {
    static let columns = """
        id, name, key, labels, slots, version, containment, store_id, paused, note, draining, revoked, created_at,
        last_seen_at
        """

    /// What the engine owns. Name, key and birth are enrolment's.
    static let update = """
        UPDATE agents SET labels = ?, slots = ?, version = ?, containment = ?, store_id = ?, paused = ?, note = ?,
            draining = ?, revoked = ?, last_seen_at = ?
        WHERE id = ?
        """

    func fillUpdate(_ arguments: inout Arguments) {
        arguments.add(labels)
        arguments.add(slots)
        arguments.add(version)
        arguments.add(containment)
        arguments.add(storeID)
        arguments.add(paused)
        arguments.add(note)
        arguments.add(draining)
        arguments.add(revoked)
        arguments.add(lastSeenAt)
        arguments.add(id)
    }

    init(_ columns: inout Columns) throws {
        self.init(
            id: columns.id(), name: columns.text(), key: columns.text(), labels: try columns.map(),
            slots: columns.int(), version: columns.text(), containment: columns.text(), storeID: columns.textOrNil(),
            paused: columns.bool(), note: columns.textOrNil(), draining: columns.bool(), revoked: columns.bool(),
            createdAt: columns.int64(), lastSeenAt: columns.int64OrNil())
    }
}
