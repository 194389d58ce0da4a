import AnsFlowProtocol
import ControllerCore

/// Approvals: what is asked of whom, and what was answered.
enum ApprovalJSON {
    /// - Parameters:
    ///   - job: its id in the plan; nil where the whole run waits.
    ///   - clock: the engine's, where it is known; then the time that is left is told.
    static func members(
        _ row: ApprovalRow, job: String?, plan: ApprovalPlan?, clock: Int64?, _ json: inout JSONWriter
    ) {
        json.field("job", job)
        json.field("state", row.state.rawValue)
        json.field("message", plan?.message)
        json.field("by", plan?.by.map(\.rawValue) ?? [])
        json.name("inputs")
        PlanPartJSON.inputs(plan?.inputs ?? [], &json)
        json.name("values")
        json.object { json in
            for (name, value) in row.inputs.sorted(by: { $0.key < $1.key }) {
                json.key(name)
                PlanPartJSON.value(value, &json)
            }
        }
        json.field("answered_by", row.by)
        json.field("reason", row.reason)
        json.field("asked_at", time: row.askedAt)
        json.field("answered_at", time: row.answeredAt)
        let left = row.state == .waiting ? clock.map { max(0, row.deadline - $0) } : nil
        json.field("expires_in_ms", left)
    }

    static func view(_ view: ApprovalView, clock: Int64?, _ json: inout JSONWriter) {
        json.object { json in
            json.field("run_id", view.run.id.rawValue)
            json.field("run_number", view.run.number)
            json.field("pipeline_id", view.run.pipeline.rawValue)
            json.field("pipeline_name", view.run.pipelineName)
            json.field("project_id", view.run.project.rawValue)
            json.field("event", view.run.event)
            json.field("ref", view.run.ref)
            json.field("commit", view.run.commit)
            json.field("actor", view.run.actor)
            json.field("trusted", view.run.trusted)
            json.field("environment", view.job?.environment)
            members(view.row, job: view.job?.name, plan: view.plan, clock: clock, &json)
        }
    }
}
