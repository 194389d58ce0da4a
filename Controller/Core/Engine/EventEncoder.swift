import AnsFlowProtocol

/// Makes the events of what changed of a run.
enum EventEncoder {
    struct Event: Equatable {
        var kind: EventRow.Kind
        var data: [UInt8]
    }

    /// Steps first, then jobs, then the run: whoever sees an end has seen what led to it.
    static func events(of run: RunLifecycle, changes: RunChanges) -> [Event] {
        let isNew = run.row.seq == 0
        var events: [Event] = []
        // What comes before the run's own end shows the run as it was until then.
        let before = run.isFinished ? changes.before ?? run.row : run.row
        if isNew { events.append(Event(kind: .execution, data: execution(run, as: before, job: nil))) }
        // A new run's jobs and steps all wait: its first event says so.
        for place in changes.steps.sorted() where !isNew || run.jobs[place.job].steps[place.step].row.phase != .blocked
        {
            events.append(Event(kind: .step, data: step(run, place)))
        }
        for job in changes.jobs.sorted() where !isNew || run.jobs[job].row.phase != .blocked {
            events.append(Event(kind: .execution, data: execution(run, as: before, job: job)))
        }
        if changes.run, !isNew || run.isFinished {
            events.append(Event(kind: .execution, data: execution(run, as: run.row, job: nil)))
        }
        return events
    }

    private static func execution(_ run: RunLifecycle, as shown: RunRow, job: Int?) -> [UInt8] {
        var json = JSONWriter(capacity: 512)
        json.object { object in
            object.field("execution_id", run.row.id.rawValue)
            object.field("number", run.row.number)
            object.field("pipeline_id", run.row.pipeline.rawValue)
            object.field("pipeline_name", run.row.pipelineName)
            object.field("status", Status(phase: shown.phase, outcome: shown.outcome).rawValue)
            object.field("phase", shown.phase.rawValue)
            object.field("result", shown.outcome?.rawValue)
            object.field("cause", shown.cause?.rawValue)
            object.field("message", shown.message)
            guard let job else { return }
            let row = run.jobs[job].row
            object.name("job")
            object.object { inner in
                inner.field("name", row.name)
                inner.field("status", Status(phase: row.phase, outcome: row.outcome).rawValue)
                inner.field("phase", row.phase.rawValue)
                inner.field("result", row.outcome?.rawValue)
                inner.field("cause", row.cause?.rawValue)
                inner.field("message", row.message)
                inner.field("blocked_by", blocker(of: run.jobs[job]))
                inner.field("agent_id", row.agent?.rawValue)
                inner.field("started_at", time: row.startedAt)
                inner.field("finished_at", time: row.finishedAt)
            }
        }
        return json.bytes
    }

    /// What a blocked job waits for.
    private static func blocker(of job: JobState) -> String? {
        guard job.row.phase == .blocked else { return nil }
        return job.awaitsApproval ? "approval" : job.awaitsGroup ? "group" : "needs"
    }

    private static func step(_ run: RunLifecycle, _ place: StepPlace) -> [UInt8] {
        let job = run.jobs[place.job].row
        let row = run.jobs[place.job].steps[place.step].row
        var json = JSONWriter(capacity: 512)
        json.object { object in
            object.field("execution_id", run.row.id.rawValue)
            object.field("step", "\(job.name)/\(row.name)")
            object.field("job", job.name)
            object.field("step_id", row.name)
            object.field("status", Status(phase: row.phase, outcome: row.outcome).rawValue)
            object.field("phase", row.phase.rawValue)
            object.field("result", row.outcome?.rawValue)
            object.field("cause", row.cause?.rawValue)
            object.field("message", row.message)
            object.field("attempt", row.attempts)
            object.field("attempt_id", row.attempt?.rawValue)
            object.field("agent", job.agent?.rawValue)
            object.field("started_at", time: row.startedAt)
            object.field("finished_at", time: row.finishedAt)
            object.field("exit_code", row.exitCode)
        }
        return json.bytes
    }
}
