import AnsFlowProtocol

// How results add up.
extension RunLifecycle {
    /// Ends a job whose steps have all ended.
    mutating func finishJob(_ job: Int, now: Int64, _ actions: inout [Action]) {
        let state = jobs[job]
        let ends = state.steps.map(\.row)
        let outcome: Outcome
        var cause = state.row.cause
        var message: String?
        if state.isStopping {
            switch cause {
            case .timeout: outcome = .timedOut
            case .agentLost, .agentGone, .agentRevoked, .agentStateLost: outcome = .lost
            default: outcome = .cancelled
            }
        } else if let lost = ends.first(where: { $0.outcome == .lost }) {
            outcome = .lost
            cause = lost.cause
            message = lost.message
        } else if let failed = ends.first(where: { $0.outcome?.isFailure ?? false }) {
            outcome = .failed
            cause = .stepFailed
            message = "step \(failed.name) \(failed.summary)"
        } else if ends.contains(where: { $0.outcome == .cancelled }) {
            outcome = .cancelled
            cause = ends.first { $0.outcome == .cancelled }?.cause
        } else {
            outcome = ends.contains { $0.outcome == .warning } ? .warning : .success
        }
        modifyJob(job) { $0.row.message = message }
        finishJob(job, outcome, cause: cause, now: now, &actions)
    }

    /// Ends a job and whatever of its steps has not ended.
    mutating func finishJob(_ job: Int, _ outcome: Outcome, cause: Cause?, now: Int64, _ actions: inout [Action]) {
        for step in jobs[job].steps.indices where jobs[job].steps[step].row.phase != .finished {
            modifyStep(job, step) {
                $0.row.finish(outcome == .skipped ? .skipped : .cancelled, cause: cause, message: nil, at: now)
            }
        }
        let allowed = plan.jobs[job].allowFailure == .always && outcome.isFailure && !isStopping
        let heldSlot = jobs[job].holdsSlot
        modifyJob(job) { state in
            state.row.phase = .finished
            state.row.outcome = allowed ? .warning : outcome
            state.row.cause = cause
            state.row.finishedAt = now
            state.row.deadline = nil
            state.attempt?.outcome = outcome
            state.attempt?.cause = cause
            state.attempt?.finishedAt = now
        }
        if heldSlot { actions.append(.jobEnded(job)) }
    }

    mutating func finishRun(now: Int64, _ actions: inout [Action]) {
        let ends = jobs.map(\.row)
        var outcome: Outcome
        var cause: Cause?
        var message: String?
        if row.cancelledBy != nil {
            outcome = .cancelled
            cause = .cancelledByUser
        } else if isStopping {
            outcome = .failed
            cause = .timeout
        } else if let failed = ends.first(where: { $0.outcome?.isFailure ?? false }) {
            outcome = .failed
            cause = failed.cause
            message = "job \(failed.name)" + (failed.message.map { ": \($0)" } ?? "")
        } else if ends.contains(where: { $0.outcome == .cancelled }) {
            outcome = .cancelled
            cause = ends.first { $0.outcome == .cancelled }?.cause
        } else if ends.contains(where: { $0.outcome == .warning }) {
            outcome = .warning
        } else {
            outcome = ends.allSatisfy { $0.outcome == .skipped } ? .skipped : .success
        }
        modifyRun {
            $0.phase = .finished
            $0.outcome = outcome
            $0.cause = cause
            $0.message = message
            $0.finishedAt = now
        }
        actions.append(.runEnded)
    }
}

extension StepRow {
    mutating func finish(_ outcome: Outcome, cause: Cause?, message: String?, at now: Int64) {
        phase = .finished
        self.outcome = outcome
        self.cause = cause
        self.message = message
        finishedAt = now
    }

    /// How it ended, for a sentence: `exited with 1`, `timed out`.
    package var summary: String {
        switch (outcome, cause) {
        case (.timedOut, _): "timed out"
        case (.failed, .exit): "exited with \(exitCode ?? 1)"
        case (.lost, _): "was lost" + (message.map { " (\($0))" } ?? "")
        default: "ended as \(outcome?.rawValue ?? "unknown")" + (message.map { ": \($0)" } ?? "")
        }
    }
}
