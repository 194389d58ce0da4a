import AnsFlowProtocol
import ControllerCore
import Testing

@Suite struct AttemptLifecycleTests {
    enum Event: CaseIterable {
        case sent, started, unreachable, reachable, cancel, timeout, success, failed, lost, declined, foreign
    }

    static func apply(_ event: Event, to attempt: inout AttemptLifecycle, at now: Int64) -> AttemptLifecycle.Action {
        let (good, log) = Make.finish(attempt.row.id, .success, .exit)
        switch event {
        case .sent: return attempt.startSent(deadline: 50 + now)
        case .started: return attempt.started(at: now)
        case .unreachable: return attempt.becameUnreachable()
        case .reachable: return attempt.becameReachable()
        case .cancel: return attempt.stop(.cancel)
        case .timeout: return attempt.stop(.timeout)
        case .success: return attempt.finished(good, log: log, at: now)
        case .failed: return attempt.finished(Make.finish(attempt.row.id, .failed, .exit).0, log: log, at: now)
        case .lost: return attempt.lost(.agentGone, message: "gone", at: now)
        case .declined: return attempt.declined("no", at: now)
        case .foreign: return attempt.finished(Make.finish(99, .success, .exit).0, log: log, at: now)
        }
    }

    static func fresh() -> AttemptLifecycle {
        AttemptLifecycle(
            AttemptRow(id: 5, step: 1, job: 1, jobAttempt: 1, run: 1, agent: 1, number: 1, createdAt: 1, deadline: 10))
    }

    /// All sequences of five events.
    @Test func holdsItsRulesUnderEverySequence() {
        var seen: Set<Phase> = []
        var outcomes: Set<Outcome> = []
        func visit(_ attempt: AttemptLifecycle, depth: Int) {
            seen.insert(attempt.row.phase)
            if let outcome = attempt.row.outcome { outcomes.insert(outcome) }
            guard depth > 0 else { return }
            for event in Event.allCases {
                var next = attempt
                let action = Self.apply(event, to: &next, at: Int64(20 - depth))
                Self.check(attempt, event, action, next)
                // What changed nothing leads to nothing new.
                if next != attempt { visit(next, depth: depth - 1) }
            }
        }
        visit(Self.fresh(), depth: 5)
        #expect(seen == [.starting, .running, .unreachable, .stopping, .finished])
        #expect(outcomes == [.success, .failed, .lost, .error, .cancelled])
    }

    private static func check(
        _ before: AttemptLifecycle, _ event: Event, _ action: AttemptLifecycle.Action, _ after: AttemptLifecycle
    ) {
        if !before.isLive { #expect(action == .none && after == before, "an end changed by \(event)") }
        if action == .none { #expect(after == before) }
        #expect((action == .ended) == (before.isLive && !after.isLive))
        #expect((after.row.phase == .finished) == (after.row.outcome != nil))
        #expect((after.row.finishedAt != nil) == !after.isLive)
        if let reason = before.row.stopReason { #expect(after.row.stopReason == reason, "the first reason stays") }
        if let begun = before.row.startedAt { #expect(after.row.startedAt == begun) }
        if case .stop(let reason) = action { #expect(reason == after.row.stopReason) }
        if event == .foreign { #expect(action == .none) }
        if after.isLive, after.isStopping { #expect([.stopping, .unreachable].contains(after.row.phase)) }
    }

    @Test func keepsHowItEndedThoughItWasStopped() {
        var attempt = Self.fresh()
        #expect(attempt.started(at: 2) == .changed)
        #expect(attempt.stop(.cancel) == .stop(.cancel))
        #expect(attempt.stop(.timeout) == .stop(.cancel))
        let (finish, log) = Make.finish(5, .success, .exit)
        #expect(attempt.finished(finish, log: log, at: 9) == .ended)
        #expect(attempt.row.outcome == .success)
        #expect(attempt.row.logState == .complete)
    }

    @Test func sendingStartAgainMovesTheDeadlineOnlyBeforeItRuns() {
        var attempt = Self.fresh()
        #expect(attempt.startSent(deadline: 70) == .changed)
        _ = attempt.started(at: 3)
        #expect(attempt.startSent(deadline: 90) == .none)
        #expect(attempt.row.deadline == 70)
    }
}

@Suite struct LogReceptionTests {
    enum Event: Equatable {
        case finish(UInt64), durable(UInt64), complete, waiting(UInt64), mismatch, failed
    }

    static let events: [Event] = [
        .finish(1), .finish(3), .durable(1), .durable(3), .complete, .waiting(1), .mismatch, .failed,
    ]

    static func apply(_ event: Event, to log: inout LogReception) -> LogReception.Action {
        let (finish, summary) = Make.finish(5, .success, .exit)
        switch event {
        case .finish(let next): return log.finishCame(finish, next: next)
        case .durable(let next): return log.durable(next)
        case .complete: return log.verified(.complete(summary))
        case .waiting(let next): return log.verified(.waiting(next: next))
        case .mismatch: return log.verified(.mismatch(summary))
        case .failed: return log.verified(.failed(summary))
        }
    }

    /// All sequences of five events: at most one comparison runs, one resend is asked for, and FINISH repeated always ends it.
    @Test func neverWithholdsAnEnd() {
        func visit(_ log: LogReception, verifying: Bool, resends: Int, depth: Int) {
            #expect(resends <= 1)
            Self.expectEnd(of: log, verifying: verifying)
            guard depth > 0 else { return }
            for event in Self.events {
                var next = log
                let action = Self.apply(event, to: &next)
                var (verifying, resends) = (verifying, resends)
                switch action {
                case .verify:
                    let answers = [.complete, .mismatch, .failed].contains(event)
                    #expect(!answers)
                    if case .waiting = event {} else { #expect(!verifying, "two comparisons at once") }
                    verifying = true
                case .resend:
                    resends += 1
                    verifying = false
                case .settle: verifying = false
                case .none:
                    if ![.finish(1), .finish(3), .durable(1), .durable(3)].contains(event) { verifying = false }
                }
                if next != log { visit(next, verifying: verifying, resends: resends, depth: depth - 1) }
            }
        }
        visit(LogReception(), verifying: false, resends: 0, depth: 5)
    }

    /// Agents repeat FINISH: with no byte more and no durable one, the end is settled after a few.
    private static func expectEnd(of log: LogReception, verifying: Bool) {
        var log = log
        var verifying = verifying
        for _ in 0..<30 {
            if verifying {
                // The store may be asked once more, for bytes that came while it compared.
                verifying = log.verified(.waiting(next: 1)) != .none
                continue
            }
            switch log.finishCame(Make.finish(5, .success, .exit).0, next: 1) {
            case .settle: return
            case .verify: verifying = true
            case .none, .resend: break
            }
        }
        Issue.record("an end was withheld: \(log)")
    }

    @Test func comparesAgainWhenTheLastBytesCameMeanwhile() {
        var log = LogReception()
        let (finish, summary) = Make.finish(5, .success, .exit)
        #expect(log.finishCame(finish, next: 1) == .verify(finish))
        #expect(log.durable(3) == .none)
        #expect(log.verified(.waiting(next: 1)) == .verify(finish))
        #expect(log.verified(.complete(summary)) == .settle(finish, summary))
    }

    @Test func asksOnceForAllOfItAndThenCallsItDamaged() {
        var log = LogReception()
        let (finish, summary) = Make.finish(5, .success, .exit)
        #expect(log.finishCame(finish, next: 3) == .verify(finish))
        #expect(log.verified(.mismatch(summary)) == .resend(5))
        #expect(log.durable(3) == .verify(finish))
        var damaged = summary
        damaged.state = .damaged
        #expect(log.verified(.mismatch(summary)) == .settle(finish, damaged))
    }

    @Test func callsNothingCompleteThatNobodyVouchesFor() {
        for (sha, dropped) in [(nil, UInt64?.some(0)), ("aa", nil)] {
            var log = LogReception()
            let end = LogEnd(attempt: 5, total: 3, sha256: sha, dropped: dropped)
            let finish = Finish(attempt: 5, result: .success, cause: .exit, log: end)
            _ = log.finishCame(finish, next: 3)
            guard case .settle(_, let summary) = log.verified(.complete(Make.finish(5, .success, .exit).1)) else {
                Issue.record("not settled")
                continue
            }
            #expect(summary.state == .incomplete)
            #expect(summary.dropped == dropped)
        }
    }

    @Test func countsWhatNeverCameAsDropped() {
        var log = LogReception()
        let finish = Make.finish(5, .success, .exit).0
        for round in 0..<7 {
            let action = log.finishCame(finish, next: 1)
            if case .verify = action { _ = log.verified(.waiting(next: 1)) }
            guard round == 6 else { continue }
            #expect(action == .settle(finish, LogSummary(state: .incomplete, bytes: 1, lines: 0, dropped: 2)))
        }
    }
}
