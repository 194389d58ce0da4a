import AnsFlowProtocol
import ControllerCore

extension JobAttemptRow {
    /// Of a table that the statement calls `a`.
    static let columns = """
        a.id, a.job, a.run, a.agent, a.number, a.outcome, a.cause, a.message, a.started_at, a.finished_at, a.outputs
        """

    static let upsert = """
        INSERT INTO job_attempts (id, job, run, agent, number, outcome, cause, message, started_at, finished_at,
            outputs)
        VALUES (?,?,?,?,?,?,?,?,?,?,?)
        ON CONFLICT (id) DO UPDATE SET
            outcome = excluded.outcome, cause = excluded.cause, message = excluded.message,
            started_at = excluded.started_at, finished_at = excluded.finished_at, outputs = excluded.outputs
        WHERE job = excluded.job AND run = excluded.run AND agent = excluded.agent AND number = excluded.number
        """

    func fill(_ arguments: inout Arguments) {
        arguments.add(id)
        arguments.add(job)
        arguments.add(run)
        arguments.add(agent)
        arguments.add(number)
        arguments.add(outcome)
        arguments.add(cause)
        arguments.add(message)
        arguments.add(startedAt)
        arguments.add(finishedAt)
        arguments.add(outputs)
    }

    init(_ columns: inout Columns) throws {
        self.init(
            id: columns.id(), job: columns.id(), run: columns.id(), agent: columns.id(), number: columns.int(),
            outcome: try columns.wordOrNil(), cause: try columns.wordOrNil(), message: columns.textOrNil(),
            startedAt: columns.int64(), finishedAt: columns.int64OrNil(), outputs: try columns.map())
    }
}
