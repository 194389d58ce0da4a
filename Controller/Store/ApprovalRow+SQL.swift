import AnsFlowProtocol
import ControllerCore

extension ApprovalRow {
    /// Of a table that the statement calls `p`.
    static let columns =
        "p.run, p.job, p.state, p.answered_by, p.reason, p.inputs, p.asked_at, p.answered_at, p.deadline"

    static let upsert = """
        INSERT INTO approvals (run, job, state, answered_by, reason, inputs, asked_at, answered_at, deadline)
        VALUES (?,?,?,?,?,?,?,?,?)
        ON CONFLICT (run, job) DO UPDATE SET
            state = excluded.state, answered_by = excluded.answered_by, reason = excluded.reason,
            inputs = excluded.inputs, asked_at = excluded.asked_at, answered_at = excluded.answered_at,
            deadline = excluded.deadline
        """

    func fill(_ arguments: inout Arguments) {
        arguments.add(run)
        arguments.add(job?.rawValue ?? 0)
        arguments.add(state)
        arguments.add(by)
        arguments.add(reason)
        arguments.add(StoredJSON.text(inputs))
        arguments.add(askedAt)
        arguments.add(answeredAt)
        arguments.add(deadline)
    }

    init(_ columns: inout Columns) throws {
        let run: RunID = columns.id()
        let job = columns.int64()
        self.init(
            run: run, job: job == 0 ? nil : JobID(job), state: try columns.word(), by: columns.textOrNil(),
            reason: columns.textOrNil(), inputs: try columns.inputs(), askedAt: columns.int64(),
            answeredAt: columns.int64OrNil(), deadline: columns.int64())
    }
}
