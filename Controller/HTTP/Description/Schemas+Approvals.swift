import ControllerCore

extension Schemas {
    static let input = Component(
        "Input",
        .object([
            "name": .text, "type": .one(of: InputPlan.Kind.self), "options": .list(of: .text), "required": .flag,
            "default": .optional(scalar), "description": .optional(.text),
        ]),
        example: """
            {"name":"region","type":"choice","options":["eu","us"],"required":true,"default":null,"description":null}
            """)

    static let approval = Component(
        "Approval",
        .object([
            "job": .optional(.text), "state": .one(of: ApprovalRow.State.self), "message": .optional(.text),
            "by": .list(of: .one(of: ApprovalPlan.Role.self)), "inputs": .list(of: .component(input)),
            "values": .map(scalar), "answered_by": .optional(.text), "reason": .optional(.text), "asked_at": .time,
            "answered_at": .optional(.time), "expires_in_ms": .optional(.count),
        ]), example: "{\(approvalMembers)}")

    private static let approvalMembers = """
        "job":"deploy","state":"approved","message":"Ship it?","by":["maintainer"],"inputs":[\(input.example)],\
        "values":{"region":"eu"},"answered_by":"octo","reason":"Looks good.","asked_at":"2026-01-31T12:00:00.000Z",\
        "answered_at":"2026-01-31T12:10:00.000Z","expires_in_ms":null
        """

    /// The answer to an answer.
    static let answered = Component(
        "AnsweredApproval", .component(approval).adding(["run_id": .id]), example: "{\"run_id\":7,\(approvalMembers)}")

    /// In the list of all that wait.
    static let openApproval = Component(
        "OpenApproval",
        .component(approval).adding([
            "run_id": .id, "run_number": .id, "pipeline_id": .id, "pipeline_name": .text, "project_id": .id,
            "event": .text, "ref": .text, "commit": .text, "actor": .text, "trusted": .flag,
            "environment": .optional(.text),
        ]),
        example: """
            {"run_id":7,"run_number":3,"pipeline_id":1,"pipeline_name":"widgets","project_id":1,"event":"manual",\
            "ref":"main","commit":"","actor":"octo","trusted":true,"environment":"production",\(approvalMembers)}
            """)

    static let approve = Description.Payload.optional(
        .input(["job": .text(1...4096), "reason": reason, "inputs": .map(scalar)]),
        example: #"{"job":"deploy","inputs":{"region":"eu"},"reason":"Looks good."}"#)
    static let decline = Description.Payload.optional(
        .input(["job": .text(1...4096), "reason": reason]), example: #"{"job":"deploy","reason":"Not today."}"#)

    // MARK: Environments

    static let deployment = Component(
        "Deployment",
        .object([
            "run_id": .id, "run_number": .id, "pipeline_id": .id, "pipeline_name": .text, "job": .text,
            "status": status, "phase": phase, "result": .optional(outcome), "cause": .optional(.text),
            "message": .optional(.text), "ref": .text, "branch": .text, "tag": .text, "commit": .text, "event": .text,
            "actor": .text, "agent": .optional(.text), "attempts": .count, "started_at": .optional(.time),
            "finished_at": .optional(.time), "approval": .optional(.component(approval)),
        ]),
        example: """
            {"run_id":7,"run_number":3,"pipeline_id":1,"pipeline_name":"widgets","job":"deploy","status":"success",\
            "phase":"finished","result":"success","cause":null,"message":null,"ref":"main","branch":"main","tag":"",\
            "commit":"","event":"manual","actor":"octo","agent":"one","attempts":1,\
            "started_at":"2026-01-31T12:10:00.000Z","finished_at":"2026-01-31T12:11:00.000Z","approval":null}
            """)

    static let environment = Component(
        "Environment",
        .object([
            "name": .text, "newest": .component(deployment), "current": .optional(.component(deployment)),
        ]), example: "{\"name\":\"production\",\"newest\":\(deployment.example),\"current\":\(deployment.example)}")
}
