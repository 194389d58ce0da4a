package import AnsFlowProtocol

// What ends a run before its time.
extension RunLifecycle {
    /// A person cancels it. A second time changes nothing, but for clean-up that is to be skipped.
    package mutating func cancel(
        by actor: String, reason: String?, skipFinally: Bool = false, now: Int64, clock: Int64
    ) -> [Action] {
        guard !isFinished else { return [] }
        if !isStopping || row.cancelledBy == nil && skipFinally {
            modifyRun {
                $0.cancelledBy = $0.cancelledBy ?? actor
                $0.cancelReason = $0.cancelReason ?? reason
            }
        }
        guard isStopping else {
            let why = reason.map { ": \($0)" } ?? ""
            return stop(
                .cancelledByUser, message: "cancelled by \(actor)\(why)", skipFinally: skipFinally, now: now,
                clock: clock)
        }
        guard skipFinally else { return [] }
        var actions: [Action] = []
        for job in jobs.indices {
            stopJob(
                job, cause: .cancelledByUser, reason: .cancel, skipFinally: true, now: now, clock: clock, &actions)
        }
        advanceJobs(now: now, clock: clock, &actions)
        return actions
    }

    /// There is nothing to run, since its definition could not be compiled.
    package mutating func reject(_ message: String, now: Int64) -> [Action] {
        modifyRun {
            $0.outcome = .invalid
            $0.cause = .config
            $0.message = message
        }
        var actions: [Action] = []
        for job in jobs.indices where !jobs[job].isFinished {
            endJob(job, .skipped, cause: .config, now: now, &actions)
        }
        finishRun(now: now, &actions)
        return actions
    }

    /// Ends what has not begun and stops what has. The first reason stays.
    package mutating func stop(
        _ cause: Cause, message: String?, skipFinally: Bool = false, now: Int64, clock: Int64
    ) -> [Action] {
        guard !isFinished, !isStopping else { return [] }
        let wasWaiting = awaitsGroup
        if awaitsApproval {
            modifyApproval(nil) {
                $0?.state = .withdrawn
                $0?.answeredAt = now
            }
        }
        let failed = cause == .timeout || cause == .groupTimeout
        modifyRun {
            $0.phase = .stopping
            $0.outcome = failed ? .failed : .cancelled
            $0.cause = cause
            $0.message = message
        }
        var actions: [Action] = []
        if wasWaiting { actions.append(.leftGroup(nil)) }
        let reason: StopReason = cause == .timeout ? .timeout : cause == .superseded ? .superseded : .cancel
        for job in jobs.indices {
            stopJob(
                job, cause: cause, reason: reason, message: nil, skipFinally: skipFinally, now: now, clock: clock,
                &actions)
        }
        advanceJobs(now: now, clock: clock, &actions)
        return actions
    }
}
