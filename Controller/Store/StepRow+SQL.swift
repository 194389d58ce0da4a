import AnsFlowProtocol
import ControllerCore

extension StepRow {
    /// Of a table that the statement calls `s`.
    static let columns = """
        s.id, s.job, s.run, s.place, s.name, s.phase, s.outcome, s.cause, s.message, s.attempt, s.attempts,
        s.exit_code, s.started_at, s.finished_at, s.retries, s.retry_at
        """

    static let upsert = """
        INSERT INTO steps (id, job, run, place, name, phase, outcome, cause, message, attempt, attempts,
            exit_code, started_at, finished_at, retries, retry_at)
        VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
        ON CONFLICT (id) DO UPDATE SET
            phase = excluded.phase, outcome = excluded.outcome, cause = excluded.cause, message = excluded.message,
            attempt = excluded.attempt, attempts = excluded.attempts, exit_code = excluded.exit_code,
            started_at = excluded.started_at, finished_at = excluded.finished_at,
            retries = excluded.retries, retry_at = excluded.retry_at
        WHERE job = excluded.job AND run = excluded.run AND place = excluded.place AND name = excluded.name
        """

    func fill(_ arguments: inout Arguments) {
        arguments.add(id)
        arguments.add(job)
        arguments.add(run)
        arguments.add(index)
        arguments.add(name)
        arguments.add(phase)
        arguments.add(outcome)
        arguments.add(cause)
        arguments.add(message)
        arguments.add(attempt)
        arguments.add(attempts)
        arguments.add(exitCode)
        arguments.add(startedAt)
        arguments.add(finishedAt)
        arguments.add(retries)
        arguments.add(retryAt)
    }

    init(_ columns: inout Columns) throws {
        self.init(
            id: columns.id(), job: columns.id(), run: columns.id(), index: columns.int(), name: columns.text(),
            phase: try columns.word(), outcome: try columns.wordOrNil(), cause: try columns.wordOrNil(),
            message: columns.textOrNil(), attempt: columns.idOrNil(), attempts: columns.int(),
            exitCode: columns.int32OrNil(), startedAt: columns.int64OrNil(), finishedAt: columns.int64OrNil(),
            retries: columns.int(), retryAt: columns.int64OrNil())
    }
}
