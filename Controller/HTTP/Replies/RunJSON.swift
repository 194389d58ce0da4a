import AnsFlowProtocol
import ControllerCore

/// Runs as JSON.
enum RunJSON {
    /// A list's item and the beginning of a whole run.
    static func members(_ run: RunRow, _ json: inout JSONWriter) {
        json.field("id", run.id.rawValue)
        json.field("number", run.number)
        json.field("pipeline_id", run.pipeline.rawValue)
        json.field("pipeline_name", run.pipelineName)
        json.field("pipeline_version", run.pipelineVersion)
        json.field("project_id", run.project.rawValue)
        state(run.phase, run.outcome, run.cause, run.message, &json)
        json.field("event", run.event)
        json.field("ref", run.ref)
        json.field("branch", run.branch)
        json.field("tag", run.tag)
        json.field("commit", run.commit)
        json.field("priority", run.priority)
        json.field("actor", run.actor)
        json.field("trusted", run.trusted)
        json.field("origin_id", run.origin?.rawValue)
        json.field("rerun", run.rerun?.rawValue)
        json.field("group", run.group)
        json.field("created_at", time: run.createdAt)
        times(run.startedAt, run.finishedAt, &json)
        json.field("cancelled_by", run.cancelledBy)
        json.field("cancel_reason", run.cancelReason)
        json.field("seq", run.seq)
    }

    static func run(_ run: RunRow, _ json: inout JSONWriter) {
        json.object { members(run, &$0) }
    }

    /// - Parameter progress: nil for one that has ended.
    static func listed(_ run: RunRow, _ progress: RunProgress?, _ json: inout JSONWriter) {
        json.object { json in
            members(run, &json)
            json.name("progress")
            guard let progress, run.phase != .finished else { return json.null() }
            json.object { json in
                json.field("jobs", progress.jobs)
                json.field("finished", progress.finished)
                json.field("awaits_approval", progress.awaitsApproval)
            }
        }
    }

    static func detail(_ detail: RunDetail, waiting: [WaitingReason], _ json: inout JSONWriter) {
        json.object { json in
            members(detail.run, &json)
            json.field("inputs", detail.run.inputs)
            json.name("concurrency")
            PlanPartJSON.concurrency(detail.plan.concurrency, &json)
            approvals(detail, waiting, &json)
            let reasons = Dictionary(grouping: waiting) { WaitingPlace(job: $0.job, step: $0.step) }
            json.name("jobs")
            json.array(detail.jobs.sorted { $0.index < $1.index }) { json, job in
                self.job(job, detail, reasons, &json)
            }
            json.name("waiting")
            json.array(waiting) { self.waiting($1, &$0) }
        }
    }

    private static func job(
        _ job: JobRow, _ detail: RunDetail, _ reasons: [WaitingPlace: [WaitingReason]], _ json: inout JSONWriter
    ) {
        let plan = detail.plan.jobs.indices.contains(job.index) ? detail.plan.jobs[job.index] : nil
        json.object { json in
            json.field("id", job.id.rawValue)
            json.field("name", job.name)
            json.field("title", plan?.name ?? job.name)
            state(job.phase, job.outcome, job.cause, job.message, &json)
            PlanPartJSON.members(plan, &json)
            json.field("environment", job.environment)
            json.field("retries", job.retries)
            json.field("carried_from", job.carriedFrom?.rawValue)
            json.field("outputs", outputs(of: job, detail))
            json.field("agent", job.agent.flatMap { detail.agentNames[$0] })
            json.field("queued_at", time: job.queuedAt)
            times(job.startedAt, job.finishedAt, &json)
            json.name("attempts")
            json.array(detail.jobAttempts.filter { $0.job == job.id }) { json, attempt in
                json.object { json in
                    json.field("id", attempt.id.rawValue)
                    json.field("number", attempt.number)
                    json.field("agent", detail.agentNames[attempt.agent])
                    json.field("result", attempt.outcome?.rawValue)
                    json.field("cause", attempt.cause?.rawValue)
                    json.field("message", attempt.message)
                    json.field("outputs", attempt.outputs)
                    times(attempt.startedAt, attempt.finishedAt, &json)
                }
            }
            json.name("waiting")
            json.array(reasons[WaitingPlace(job: job.name)] ?? []) { self.waiting($1, &$0) }
            json.name("steps")
            json.array(detail.steps.filter { $0.job == job.id }.sorted { $0.index < $1.index }) { json, step in
                self.step(step, job, plan, detail, reasons, &json)
            }
        }
    }

    private static func step(
        _ step: StepRow, _ job: JobRow, _ plan: JobPlan?, _ detail: RunDetail,
        _ reasons: [WaitingPlace: [WaitingReason]], _ json: inout JSONWriter
    ) {
        let stepPlan = plan?.steps.indices.contains(step.index) == true ? plan?.steps[step.index] : nil
        let attempts = detail.attempts.filter { $0.step == step.id }
        json.object { json in
            json.field("id", step.id.rawValue)
            json.field("name", step.name)
            json.field("key", "\(job.name)/\(step.name)")
            json.field("title", stepPlan?.name ?? step.name)
            state(step.phase, step.outcome, step.cause, step.message, &json)
            PlanPartJSON.members(stepPlan, &json)
            json.field("retries", step.retries)
            json.name("waiting")
            json.array(reasons[WaitingPlace(job: job.name, step: step.name)] ?? []) { self.waiting($1, &$0) }
            json.field("attempt", attempts.last?.number)
            json.field("agent", attempts.last.flatMap { detail.agentNames[$0.agent] })
            json.field("exit_code", step.exitCode)
            times(step.startedAt, step.finishedAt, &json)
            json.name("attempts")
            json.array(attempts) { attempt($1, detail, &$0) }
        }
    }

    private static func attempt(_ attempt: AttemptRow, _ detail: RunDetail, _ json: inout JSONWriter) {
        json.object { json in
            json.field("id", attempt.id.rawValue)
            json.field("number", attempt.number)
            json.field("agent", detail.agentNames[attempt.agent])
            state(attempt.phase, attempt.outcome, attempt.cause, attempt.message, &json)
            json.field("exit_code", attempt.exitCode)
            json.field("signal", attempt.signal)
            json.field("created_at", time: attempt.createdAt)
            times(attempt.startedAt, attempt.finishedAt, &json)
            json.field("outputs", attempt.outputs)
            json.name("usage")
            json.object { json in
                json.field("cpu_user_ms", attempt.usage.cpuUserMs)
                json.field("cpu_system_ms", attempt.usage.cpuSystemMs)
                json.field("memory_peak_bytes", attempt.usage.memoryPeakBytes)
                json.field("wall_ms", attempt.usage.wallMs)
            }
            json.name("log")
            json.object { json in
                json.field("state", attempt.logState.rawValue)
                json.field("bytes", attempt.logBytes)
                json.field("lines", attempt.logLines)
                json.field("sha256", attempt.logSHA256)
                json.field("dropped_bytes", attempt.logDropped)
            }
        }
    }

    static func waiting(_ reason: WaitingReason, _ json: inout JSONWriter) {
        json.object { json in
            json.field("job", reason.job)
            json.field("step", reason.step)
            json.field("kind", reason.kind.rawValue)
            json.field("message", reason.message)
            json.field("position", reason.position)
            json.name("candidates")
            json.array(reason.candidates) { json, candidate in
                json.object { json in
                    json.field("agent", candidate.agent)
                    json.field("lacks", candidate.lacks)
                }
            }
            json.name("front")
            json.array(reason.front) { json, front in
                json.object { json in
                    json.field("run_id", front.run.rawValue)
                    json.field("pipeline_name", front.pipeline)
                    json.field("number", front.number)
                    json.field("job", front.job)
                    json.field("holds", front.holds)
                }
            }
            json.field("remaining_ms", reason.remainingMs)
        }
    }

    /// Empty for the whole run; without a step the whole job.
    private struct WaitingPlace: Hashable {
        var job: String
        var step: String?
    }

    private static func approvals(_ detail: RunDetail, _ waiting: [WaitingReason], _ json: inout JSONWriter) {
        json.name("approvals")
        json.array(detail.approvals) { json, row in
            let job = row.job.flatMap { id in detail.jobs.first { $0.id == id } }
            let plan = job.flatMap { detail.plan.jobs.indices.contains($0.index) ? detail.plan.jobs[$0.index] : nil }
            let reason = waiting.first { $0.kind == .approval && $0.job == job?.name ?? "" }
            // The engine says how long it has left: its deadline less that is its clock now.
            let clock = reason?.remainingMs.map { row.deadline - $0 }
            json.object { ApprovalJSON.members(row, job: job?.name, plan: plan?.approval, clock: clock, &$0) }
        }
    }

    /// Of its newest attempt, or those that were taken over.
    private static func outputs(of job: JobRow, _ detail: RunDetail) -> [String: String] {
        if job.carriedFrom != nil { return job.carriedOutputs }
        return detail.jobAttempts.last { $0.job == job.id }?.outputs ?? [:]
    }

    private static func state(
        _ phase: Phase, _ outcome: Outcome?, _ cause: Cause?, _ message: String?, _ json: inout JSONWriter
    ) {
        json.field("status", Status(phase: phase, outcome: outcome).rawValue)
        json.field("phase", phase.rawValue)
        json.field("result", outcome?.rawValue)
        json.field("cause", cause?.rawValue)
        json.field("message", message)
    }

    private static func times(_ started: Int64?, _ finished: Int64?, _ json: inout JSONWriter) {
        json.field("started_at", time: started)
        json.field("finished_at", time: finished)
        var duration: Int64?
        if let started, let finished { duration = finished - started }
        json.field("duration_ms", duration)
    }

    static func event(_ row: EventRow, _ json: inout JSONWriter) {
        json.object { json in
            json.field("seq", row.seq)
            json.field("id", row.id)
            json.field("at", time: row.at)
            json.field("type", row.kind.rawValue)
            json.name("data")
            json.raw(row.data)
        }
    }
}
