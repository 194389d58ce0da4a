import AnsFlowProtocol
import ControllerCore

extension RunRow {
    static let columns = list(nil)
    /// The columns of a table that the statement calls `r`.
    static let qualifiedColumns = list("r")

    private static func list(_ table: String?) -> String {
        let names = [
            "id", "project", "pipeline", "pipeline_name", "pipeline_version", "number", "phase", "outcome", "cause",
            "message", "event", "ref", "branch", "tag", "\"commit\"", "inputs", "priority", "actor", "created_at",
            "started_at", "finished_at", "cancelled_by", "cancel_reason", "seq", "deadline", "trusted", "origin",
            "rerun", "concurrency_group", "group_since",
        ]
        return names.map { name in table.map { "\($0).\(name)" } ?? name }.joined(separator: ", ")
    }

    static let upsert = """
        INSERT INTO runs (\(columns)) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
        ON CONFLICT (id) DO UPDATE SET
            phase = excluded.phase, outcome = excluded.outcome, cause = excluded.cause, message = excluded.message,
            priority = excluded.priority, started_at = excluded.started_at, finished_at = excluded.finished_at,
            cancelled_by = excluded.cancelled_by, cancel_reason = excluded.cancel_reason, seq = excluded.seq,
            deadline = excluded.deadline, concurrency_group = excluded.concurrency_group,
            group_since = excluded.group_since
        WHERE project = excluded.project AND pipeline = excluded.pipeline AND number = excluded.number
            AND trusted = excluded.trusted AND origin IS excluded.origin AND rerun IS excluded.rerun
        """

    func fill(_ arguments: inout Arguments) {
        arguments.add(id)
        arguments.add(project)
        arguments.add(pipeline)
        arguments.add(pipelineName)
        arguments.add(pipelineVersion)
        arguments.add(number)
        arguments.add(phase)
        arguments.add(outcome)
        arguments.add(cause)
        arguments.add(message)
        arguments.add(event)
        arguments.add(ref)
        arguments.add(branch)
        arguments.add(tag)
        arguments.add(commit)
        arguments.add(inputs)
        arguments.add(priority)
        arguments.add(actor)
        arguments.add(createdAt)
        arguments.add(startedAt)
        arguments.add(finishedAt)
        arguments.add(cancelledBy)
        arguments.add(cancelReason)
        arguments.add(seq)
        arguments.add(deadline)
        arguments.add(trusted)
        arguments.add(origin)
        arguments.add(rerun)
        arguments.add(group)
        arguments.add(groupSince)
    }

    init(_ columns: inout Columns) throws {
        // Evaluated in the order of the columns.
        self.init(
            id: columns.id(), project: columns.id(), pipeline: columns.id(), pipelineName: columns.text(),
            pipelineVersion: columns.int(), number: columns.int64(), phase: try columns.word(),
            outcome: try columns.wordOrNil(), cause: try columns.wordOrNil(), message: columns.textOrNil(),
            event: columns.text(), ref: columns.text(), branch: columns.text(), tag: columns.text(),
            commit: columns.text(), inputs: try columns.map(), priority: columns.int(), actor: columns.text(),
            createdAt: columns.int64(), startedAt: columns.int64OrNil(), finishedAt: columns.int64OrNil(),
            cancelledBy: columns.textOrNil(), cancelReason: columns.textOrNil(), seq: columns.int64(),
            deadline: columns.int64())
        trusted = columns.bool()
        origin = columns.idOrNil()
        rerun = try columns.wordOrNil()
        group = columns.textOrNil()
        groupSince = columns.int64OrNil()
    }
}
