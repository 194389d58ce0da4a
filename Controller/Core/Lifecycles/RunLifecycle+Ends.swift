import AnsFlowProtocol

/// How something ended.
struct End: Equatable {
    var outcome: Outcome
    var cause: Cause?
    var message: String?
}

// How results add up.
extension RunLifecycle {
    /// The result of a job's steps without clean-up, all of which have ended.
    func work(of job: Int) -> End {
        let state = jobs[job]
        if state.isStopping { return stopped(state, plan.jobs[job]) }
        var failed: StepRow?
        var cancelled: StepRow?
        var warned = false
        for (place, step) in state.steps.enumerated() where plan.jobs[job].steps[place].stage != .finally {
            switch step.row.outcome {
            case .lost: return End(outcome: .lost, cause: step.row.cause, message: step.row.message)
            case .failed, .timedOut, .error, .invalid: failed = failed ?? step.row
            case .cancelled: cancelled = cancelled ?? step.row
            case .warning: warned = true
            case .success, .skipped, nil: break
            }
        }
        if let failed {
            return End(outcome: .failed, cause: .stepFailed, message: "step \(failed.name) \(failed.summary)")
        }
        if let cancelled { return End(outcome: .cancelled, cause: cancelled.cause, message: cancelled.message) }
        let bytes = state.outputBytes
        if bytes > PlanLimits.outputBytesMax {
            return End(
                outcome: .error, cause: .config,
                message:
                    "the outputs of its steps have \(bytes) bytes together; at most \(PlanLimits.outputBytesMax) are allowed"
            )
        }
        return End(outcome: warned ? .warning : .success)
    }

    private func stopped(_ state: JobState, _ job: JobPlan) -> End {
        let cause = state.row.cause
        switch cause {
        case .timeout:
            let own = "it took longer than its timeout of \(TimeWords.words(job.timeoutMs))"
            return End(
                outcome: .timedOut, cause: cause, message: row.cause == .timeout && isStopping ? row.message : own)
        case .agentLost, .agentGone, .agentRevoked, .agentStateLost:
            return End(outcome: .lost, cause: cause, message: state.row.message)
        default:
            return End(outcome: .cancelled, cause: cause, message: state.row.message)
        }
    }

    /// Makes the result visible while clean-up runs, unless the job is tried again.
    mutating func showWork(of job: Int) {
        guard jobs[job].row.outcome == nil else { return }
        let end = work(of: job)
        modifyJob(job) { $0.row.deadline = nil }
        guard retryDelay(of: job, after: end) == nil else { return }
        let shown = allowed(end, of: job)
        modifyJob(job) { state in
            state.row.outcome = shown.outcome
            state.row.cause = shown.cause
            state.row.message = shown.message
        }
        show(shown, of: job)
    }

    /// All steps have ended: the job is tried again, or ends.
    mutating func conclude(_ job: Int, now: Int64, clock: Int64, _ actions: inout [Action]) {
        var end = work(of: job)
        if let delay = retryDelay(of: job, after: end) {
            return tryAgain(job, after: end, delay: delay, now: now, clock: clock, &actions)
        }
        if end.outcome == .success || end.outcome == .warning, let step = brokenCleanUp(of: job) {
            let failed = step.outcome != .warning
            end.outcome = .warning
            end.cause = failed ? .cleanupFailed : end.cause
            end.message = failed ? "clean-up: step \(step.name) \(step.summary)" : end.message
        }
        let shown = allowed(end, of: job)
        endJob(job, shown.outcome, of: end.outcome, cause: shown.cause, message: shown.message, now: now, &actions)
    }

    private func brokenCleanUp(of job: Int) -> StepRow? {
        let rows = (topology.stages[job][.finally] ?? []).map { jobs[job].steps[$0].row }
        return rows.first { $0.outcome?.isFailure ?? false || $0.outcome == .skipped && $0.cause != .conditionFalse }
            ?? rows.first { $0.outcome == .warning }
    }

    /// An allowed failure is a warning, unless the run is being ended.
    private func allowed(_ end: End, of job: Int) -> End {
        guard end.outcome.isFailure, !isStopping else { return end }
        let allowed: Bool
        switch plan.jobs[job].allowFailure {
        case .never: allowed = false
        case .always: allowed = true
        case .exitCodes(let codes):
            let failed = failedSteps(of: job)
            allowed =
                end.cause == .stepFailed && !failed.isEmpty
                && failed.allSatisfy { $0.cause == .exit && $0.exitCode.map(codes.contains) ?? false }
        }
        return allowed ? End(outcome: .warning, cause: end.cause, message: end.message) : end
    }

    func failedSteps(of job: Int) -> [StepRow] {
        jobs[job].steps.indices.compactMap { place in
            let row = jobs[job].steps[place].row
            return plan.jobs[job].steps[place].stage != .finally && row.outcome?.isFailure ?? false ? row : nil
        }
    }

    /// Ends a job and whatever of its steps has not ended. Nothing of it is live.
    ///
    /// - Parameter own: how its attempt ended, where that is not how the job counts.
    mutating func endJob(
        _ job: Int, _ outcome: Outcome, of own: Outcome? = nil, cause: Cause?, message: String? = nil, now: Int64,
        _ actions: inout [Action]
    ) {
        for step in jobs[job].steps.indices where jobs[job].steps[step].row.phase != .finished {
            modifyStep(job, step) {
                $0.row.finish(outcome == .skipped ? .skipped : .cancelled, cause: cause, message: nil, at: now)
            }
        }
        var counted = outcome
        if own == nil, outcome.isFailure, plan.jobs[job].allowFailure == .always, !isStopping { counted = .warning }
        let wasInGroup = jobs[job].holdsGroup || jobs[job].awaitsGroup
        if jobs[job].awaitsApproval {
            modifyApproval(job) {
                $0?.state = .withdrawn
                $0?.answeredAt = now
            }
        }
        let heldSlot = jobs[job].holdsSlot
        if heldSlot { endAttempt(of: job, End(outcome: own ?? outcome, cause: cause, message: message), now: now) }
        modifyJob(job) { state in
            state.row.phase = .finished
            state.row.outcome = counted
            state.row.cause = cause
            state.row.message = message
            state.row.finishedAt = now
            state.row.deadline = nil
            state.row.retryAt = nil
        }
        show(End(outcome: counted, cause: cause, message: message), of: job)
        if heldSlot { actions.append(.jobEnded(job)) }
        if wasInGroup { actions.append(.leftGroup(job)) }
    }

    /// Publishes what the job's attempt has brought.
    mutating func endAttempt(of job: Int, _ end: End, now: Int64) {
        guard var attempt = jobs[job].attempt, attempt.outcome == nil else { return }
        attempt.outcome = end.outcome
        attempt.cause = end.cause
        attempt.message = end.message
        attempt.finishedAt = now
        // Outputs that are too many are what the error is about.
        attempt.outputs = end.cause == .config ? [:] : jobs[job].stepOutputs
        modifyJob(job) { $0.attempt = attempt }
    }

    /// A job's failure is the run's, at once.
    private mutating func show(_ end: End, of job: Int) {
        guard end.outcome.isFailure, row.outcome == nil, !isStopping else { return }
        let message = "job \(jobs[job].row.name): \(end.message ?? end.outcome.words)"
        modifyRun {
            $0.outcome = .failed
            $0.cause = end.cause
            $0.message = message
        }
    }

    mutating func finishRun(now: Int64, _ actions: inout [Action]) {
        guard !isFinished else { return }
        let ends = jobs.map(\.row)
        var end: End
        if isStopping || row.outcome != nil {
            end = End(outcome: row.outcome ?? .cancelled, cause: row.cause, message: row.message)
        } else if let failed = ends.first(where: { $0.outcome?.isFailure ?? false }) {
            let message = "job \(failed.name): \(failed.message ?? failed.outcome?.words ?? "")"
            end = End(outcome: .failed, cause: failed.cause, message: message)
        } else if let cancelled = ends.first(where: { $0.outcome == .cancelled }) {
            end = End(
                outcome: .cancelled, cause: cancelled.cause,
                message: cancelled.message.map { "job \(cancelled.name): \($0)" })
        } else if let warned = ends.first(where: { $0.outcome == .warning }) {
            end = End(outcome: .warning, message: warned.message.map { "job \(warned.name): \($0)" })
        } else {
            end = End(outcome: ends.allSatisfy { $0.outcome == .skipped } ? .skipped : .success)
        }
        modifyRun {
            $0.phase = .finished
            $0.outcome = end.outcome
            $0.cause = end.cause
            $0.message = end.message
            $0.finishedAt = now
        }
        actions.append(.runEnded)
    }
}

extension Outcome {
    /// For a sentence.
    var words: String {
        switch self {
        case .timedOut: "timed out"
        case .lost: "was lost"
        case .error: "could not be run"
        case .success, .warning, .failed, .cancelled, .skipped, .invalid: rawValue
        }
    }
}

extension StepRow {
    mutating func finish(_ outcome: Outcome, cause: Cause?, message: String?, at now: Int64) {
        phase = .finished
        self.outcome = outcome
        self.cause = cause
        self.message = message
        finishedAt = now
        retryAt = nil
    }

    /// How it ended, for a sentence: `exited with 1`, `timed out`.
    package var summary: String {
        switch (outcome, cause) {
        case (.timedOut, _): "timed out"
        case (.failed, .exit): "exited with \(exitCode ?? 1)"
        case (.failed, .oom): "ran out of memory"
        case (.failed, .signal): "was ended by a signal"
        case (.lost, _): "was lost" + (message.map { " (\($0))" } ?? "")
        default: "ended as \(outcome?.rawValue ?? "unknown")" + (message.map { ": \($0)" } ?? "")
        }
    }
}

extension AttemptRow {
    /// As ``StepRow/summary``.
    var summary: String {
        switch (outcome, cause) {
        case (.timedOut, _): "timed out"
        case (.failed, .exit): "exited with \(exitCode ?? 1)"
        case (.failed, .oom): "ran out of memory"
        case (.failed, .signal): "was ended by a signal"
        default: "ended as \(outcome?.rawValue ?? "unknown")"
        }
    }
}

extension JobState {
    /// What its steps have written in the newest attempt, in the order of the plan.
    var stepOutputs: [String: String] {
        guard let id = attempt?.id else { return [:] }
        var outputs: [String: String] = [:]
        for step in steps {
            guard let row = step.attempt?.row, row.jobAttempt == id, !row.outputs.isEmpty else { continue }
            outputs.merge(row.outputs) { _, later in later }
        }
        return outputs
    }

    var outputBytes: Int { stepOutputs.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count } }

    /// What other jobs see of it: of its last attempt, once that has ended, or of the earlier run that it was taken from.
    var publishedOutputs: [String: String] {
        guard isFinished else { return [:] }
        return row.carriedFrom == nil ? attempt?.outputs ?? [:] : row.carriedOutputs
    }
}
