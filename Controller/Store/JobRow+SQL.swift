import AnsFlowProtocol
import ControllerCore

extension JobRow {
    /// Of a table that the statement calls `j`.
    static let columns = """
        j.id, j.run, j.place, j.name, j.phase, j.outcome, j.cause, j.message, j.attempt, j.agent, j.attempts,
        j.queued_at, j.started_at, j.finished_at, j.deadline, j.queued_since,
        j.environment, j.concurrency_group, j.group_since, j.retries, j.retry_at, j.carried_from, j.carried_outputs
        """

    static let upsert = """
        INSERT INTO jobs (id, run, place, name, phase, outcome, cause, message, attempt, agent, attempts,
            queued_at, started_at, finished_at, deadline, queued_since,
            environment, concurrency_group, group_since, retries, retry_at, carried_from, carried_outputs)
        VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
        ON CONFLICT (id) DO UPDATE SET
            phase = excluded.phase, outcome = excluded.outcome, cause = excluded.cause, message = excluded.message,
            attempt = excluded.attempt, agent = excluded.agent, attempts = excluded.attempts,
            queued_at = excluded.queued_at, started_at = excluded.started_at, finished_at = excluded.finished_at,
            deadline = excluded.deadline, queued_since = excluded.queued_since,
            environment = excluded.environment, concurrency_group = excluded.concurrency_group,
            group_since = excluded.group_since, retries = excluded.retries, retry_at = excluded.retry_at,
            carried_from = excluded.carried_from, carried_outputs = excluded.carried_outputs
        WHERE run = excluded.run AND place = excluded.place AND name = excluded.name
        """

    func fill(_ arguments: inout Arguments) {
        arguments.add(id)
        arguments.add(run)
        arguments.add(index)
        arguments.add(name)
        arguments.add(phase)
        arguments.add(outcome)
        arguments.add(cause)
        arguments.add(message)
        arguments.add(attempt)
        arguments.add(agent)
        arguments.add(attempts)
        arguments.add(queuedAt)
        arguments.add(startedAt)
        arguments.add(finishedAt)
        arguments.add(deadline)
        arguments.add(queuedSince)
        arguments.add(environment)
        arguments.add(group)
        arguments.add(groupSince)
        arguments.add(retries)
        arguments.add(retryAt)
        arguments.add(carriedFrom)
        arguments.add(carriedOutputs)
    }

    init(_ columns: inout Columns) throws {
        self.init(
            id: columns.id(), run: columns.id(), index: columns.int(), name: columns.text(), phase: try columns.word(),
            outcome: try columns.wordOrNil(), cause: try columns.wordOrNil(), message: columns.textOrNil(),
            attempt: columns.idOrNil(), agent: columns.idOrNil(), attempts: columns.int(),
            queuedAt: columns.int64OrNil(), startedAt: columns.int64OrNil(), finishedAt: columns.int64OrNil(),
            deadline: columns.int64OrNil(), queuedSince: columns.int64OrNil(), environment: columns.textOrNil(),
            group: columns.textOrNil(), groupSince: columns.int64OrNil(), retries: columns.int(),
            retryAt: columns.int64OrNil(), carriedFrom: columns.idOrNil(), carriedOutputs: try columns.map())
    }
}
