import AnsFlowProtocol
import ControllerCore

extension AttemptRow {
    /// Of a table that the statement calls `a`.
    static let columns = """
        a.id, a.step, a.job, a.job_attempt, a.run, a.agent, a.number, a.phase, a.outcome, a.cause, a.message,
        a.exit_code, a.signal, a.created_at, a.started_at, a.finished_at, a.stop_reason, a.deadline,
        a.cpu_user_ms, a.cpu_system_ms, a.memory_peak_bytes, a.wall_ms,
        a.log_state, a.log_bytes, a.log_lines, a.log_sha256, a.log_dropped, a.outputs
        """

    static let upsert = """
        INSERT INTO attempts (id, step, job, job_attempt, run, agent, number, phase, outcome, cause, message,
            exit_code, signal, created_at, started_at, finished_at, stop_reason, deadline,
            cpu_user_ms, cpu_system_ms, memory_peak_bytes, wall_ms,
            log_state, log_bytes, log_lines, log_sha256, log_dropped, outputs)
        VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
        ON CONFLICT (id) DO UPDATE SET
            phase = excluded.phase, outcome = excluded.outcome, cause = excluded.cause, message = excluded.message,
            exit_code = excluded.exit_code, signal = excluded.signal, created_at = excluded.created_at,
            started_at = excluded.started_at, finished_at = excluded.finished_at, stop_reason = excluded.stop_reason,
            deadline = excluded.deadline, cpu_user_ms = excluded.cpu_user_ms, cpu_system_ms = excluded.cpu_system_ms,
            memory_peak_bytes = excluded.memory_peak_bytes, wall_ms = excluded.wall_ms,
            log_state = excluded.log_state, log_bytes = excluded.log_bytes, log_lines = excluded.log_lines,
            log_sha256 = excluded.log_sha256, log_dropped = excluded.log_dropped, outputs = excluded.outputs
        WHERE step = excluded.step AND job = excluded.job AND job_attempt = excluded.job_attempt
            AND run = excluded.run AND agent = excluded.agent AND number = excluded.number
        """

    func fill(_ arguments: inout Arguments) {
        arguments.add(id)
        arguments.add(step)
        arguments.add(job)
        arguments.add(jobAttempt)
        arguments.add(run)
        arguments.add(agent)
        arguments.add(number)
        arguments.add(phase)
        arguments.add(outcome)
        arguments.add(cause)
        arguments.add(message)
        arguments.add(exitCode)
        arguments.add(signal)
        arguments.add(createdAt)
        arguments.add(startedAt)
        arguments.add(finishedAt)
        arguments.add(stopReason)
        arguments.add(deadline)
        arguments.add(usage.cpuUserMs)
        arguments.add(usage.cpuSystemMs)
        arguments.add(usage.memoryPeakBytes)
        arguments.add(usage.wallMs)
        arguments.add(logState)
        arguments.add(logBytes)
        arguments.add(logLines)
        arguments.add(logSHA256)
        arguments.add(logDropped)
        arguments.add(outputs)
    }

    init(_ columns: inout Columns) throws {
        self.init(
            id: columns.id(), step: columns.id(), job: columns.id(), jobAttempt: columns.id(), run: columns.id(),
            agent: columns.id(), number: columns.int(), phase: try columns.word(), outcome: try columns.wordOrNil(),
            cause: try columns.wordOrNil(), message: columns.textOrNil(), exitCode: columns.int32OrNil(),
            signal: columns.int32OrNil(), createdAt: columns.int64(), startedAt: columns.int64OrNil(),
            finishedAt: columns.int64OrNil(), stopReason: try columns.wordOrNil(), deadline: columns.int64(),
            usage: Usage(
                cpuUserMs: columns.uint64(), cpuSystemMs: columns.uint64(), memoryPeakBytes: columns.uint64(),
                wallMs: columns.uint64()),
            logState: try columns.word(), logBytes: columns.uint64(), logLines: columns.uint64(),
            logSHA256: columns.textOrNil(), logDropped: columns.uint64OrNil(), outputs: try columns.map())
    }
}
