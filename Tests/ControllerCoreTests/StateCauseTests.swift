import AnsFlowProtocol
import ControllerCore
import TestSupport
import Testing

/// Every row of ``StateTable`` that has an end is reached by a history that is written for it, and no other row ever is.
@Suite struct StateCauseTests {
    /// Everything that stored rows have shown.
    private final class Seen {
        var words: Set<String> = []

        func look(_ rig: Rig) {
            for row in rig.rows.runs.values where row.phase == .finished { add("run", row.outcome, row.cause) }
            for row in rig.rows.jobs.values where row.phase == .finished { add("job", row.outcome, row.cause) }
            for row in rig.rows.steps.values where row.phase == .finished { add("step", row.outcome, row.cause) }
            for row in rig.rows.attempts.values where row.phase == .finished {
                add("attempt", row.outcome, row.cause)
            }
        }

        private func add(_ level: String, _ outcome: Outcome?, _ cause: Cause?) {
            words.insert([level, outcome?.rawValue, cause?.rawValue].compactMap(\.self).joined(separator: " "))
        }
    }

    private typealias Story = (inout Rig) -> Void

    /// A run of one job with one step that has begun.
    private static func begun(_ change: (inout JobPlan) -> Void = { _ in }, _ happen: @escaping Story) -> Story {
        var job = Make.job("a", [Make.step("s")])
        change(&job)
        let plan = job
        return { rig in
            rig.connect()
            rig.create([plan])
            rig.started(1)
            happen(&rig)
        }
    }

    /// The same, whose step ends so.
    private static func ends(
        _ result: AttemptResult, _ cause: Cause, _ change: (inout JobPlan) -> Void = { _ in }
    ) -> Story {
        begun(change) { $0.finish(1, result, cause) }
    }

    private static func allowed(_ job: inout JobPlan) { job.steps[0].allowFailure = .always }
    private static func jobAllowed(_ job: inout JobPlan) { job.allowFailure = .always }
    private static func cleaned(_ job: inout JobPlan) { job.steps.append(StageTests.finally("f")) }

    /// Time in which nothing else happens passes at once.
    private static func pass(_ ms: Int64, _ rig: inout Rig) {
        rig.rows.clock += ms
        rig.restart()
        rig.tick(seconds: 1)
    }

    /// How a step's own processes end.
    private static var steps: [Story] {
        var stories: [Story] = []
        let ends: [(AttemptResult, Cause)] = [
            (.success, .exit), (.failed, .exit), (.failed, .signal), (.failed, .oom), (.timedOut, .timeout),
            (.error, .startFailed), (.error, .config), (.lost, .agentLost), (.failed, .unkillable),
            (.timedOut, .unkillable),
        ]
        for (result, cause) in ends {
            stories.append(Self.ends(result, cause))
            stories.append(Self.ends(result, cause, allowed))
            stories.append(Self.ends(result, cause, jobAllowed))
        }
        return stories
    }

    /// What is given up, in every way in which a host can be.
    private static var losses: [Story] {
        var stories: [Story] = []
        for change: (inout JobPlan) -> Void in [{ _ in }, allowed, jobAllowed, cleaned] {
            stories += [
                begun(change) { rig in
                    rig.disconnect()
                    rig.tick(seconds: 100)
                },
                begun(change) { rig in
                    rig.disconnect()
                    _ = rig.group { $0.agentGone(1, by: "me", reason: "it burnt") }
                },
                begun(change) { rig in _ = rig.group { $0.revokeAgent(1, by: "me") } },
                begun(change) { rig in
                    rig.disconnect()
                    rig.connect(store: "another")
                },
                begun(change) { rig in
                    _ = rig.group { $0.cancelRun(1, by: "me", reason: nil, force: false) }
                    rig.tick(seconds: 700)
                },
                begun(change) { rig in
                    rig.disconnect()
                    rig.tick(seconds: 20)
                    _ = rig.group { $0.cancelRun(1, by: "me", reason: nil, force: true) }
                },
                begun({ job in
                    change(&job)
                    job.timeoutMs = 5_000
                }) { rig in rig.tick(seconds: 700) },
            ]
            // Nothing of it lives when its agent goes: what comes next can't begin.
            let goes: [Story] = [
                { rig in
                    rig.disconnect()
                    rig.tick(seconds: 601)
                },
                { rig in
                    rig.disconnect()
                    _ = rig.group { $0.agentGone(1, by: "me", reason: nil) }
                },
                { rig in _ = rig.group { $0.revokeAgent(1, by: "me") } },
                { rig in
                    rig.disconnect()
                    rig.connect(store: "another")
                },
            ]
            for go in goes {
                stories.append { rig in
                    var job = Make.job("a", [Make.step("s"), Make.step("t", needs: ["s"])])
                    change(&job)
                    rig.connect()
                    rig.create([job])
                    rig.started(1)
                    rig.finish(1)
                    rig.finish(2, .error, .neverStarted)
                    rig.finish(3, .error, .neverStarted)
                    go(&rig)
                }
            }
        }
        return stories
    }

    /// What people and other runs do.
    private static var stops: [Story] {
        var grouped = Make.job("a")
        grouped.concurrency = ConcurrencyPlan(group: "g", onNew: .cancelRunning)
        var asking = Make.job("a", [Make.step("s")])
        asking.approval = ApprovalPlan(expiresMs: 60_000)
        var whole = Make.request([Make.job("a")])
        whole.plan.concurrency = ConcurrencyPlan(group: "g", onNew: .cancelRunning)
        var outside = Make.request([Make.job("a")])
        outside.plan.facts.trusted = false
        let (one, gate, all, fork) = (grouped, asking, whole, outside)
        return [
            begun { rig in
                _ = rig.group { $0.cancelRun(1, by: "me", reason: nil, force: false) }
                rig.finish(1, .cancelled, .cancelledByUser)
            },
            begun { rig in
                _ = rig.group { $0.cancelRun(1, by: "me", reason: nil, force: false) }
                rig.finish(1, .cancelled, .neverStarted)
            },
            { rig in
                rig.connect()
                rig.create([Make.job("a")])
                rig.finish(1, .error, .neverStarted)
                _ = rig.group { $0.cancelRun(1, by: "me", reason: nil, force: false) }
                rig.finish(2, .cancelled, .neverStarted)
            },
            { rig in
                rig.connect()
                rig.create([Make.job("a", timeoutMs: 5_000)])
                rig.tick(seconds: 6)
                rig.finish(1, .timedOut, .neverStarted)
            },
            begun(cleaned) { rig in
                rig.finish(1)
                rig.started(2)
                _ = rig.group { $0.cancelRun(1, by: "me", reason: nil, force: false, skipFinally: true) }
                rig.finish(2, .cancelled, .cancelledByUser)
            },
            { rig in
                rig.create([Make.job("a"), Make.job("b", needs: ["a"])])
                _ = rig.group { $0.cancelRun(1, by: "me", reason: nil, force: false) }
            },
            { rig in
                rig.connect()
                rig.create([one])
                rig.started(1)
                rig.create([one])
                rig.create([one])
                rig.finish(1, .cancelled, .cancelledByUser)
            },
            { rig in
                rig.connect()
                for _ in 0..<3 { _ = rig.group { $0.createRun(all) } }
                rig.finish(1, .cancelled, .cancelledByUser)
            },
            { rig in
                for _ in 0..<3 { rig.create([gate]) }
                _ = rig.group { $0.decline(1, job: "a", by: "me", reason: nil) }
                _ = rig.group { $0.cancelRun(2, by: "me", reason: nil, force: false) }
                rig.tick(seconds: 61)
            },
            { rig in
                for _ in 0..<3 { _ = rig.group { $0.createRun(fork) } }
                _ = rig.group { $0.decline(1, job: nil, by: "me", reason: nil) }
                _ = rig.group { $0.cancelRun(2, by: "me", reason: nil, force: false) }
                pass(7 * 24 * 3_600_000, &rig)
            },
        ]
    }

    /// Waits that take too long.
    private static var waits: [Story] {
        var grouped = Make.job("a")
        grouped.concurrency = ConcurrencyPlan(group: "g")
        var whole = Make.request([Make.job("a")])
        whole.plan.concurrency = ConcurrencyPlan(group: "g")
        let (one, all) = (grouped, whole)
        func allowed(_ job: JobPlan) -> JobPlan {
            var job = job
            job.allowFailure = .always
            return job
        }
        var stories: [Story] = []
        for change in [{ $0 }, allowed] {
            stories += [
                { rig in
                    rig.create([change(Make.job("a"))])
                    pass(24 * 3_600_000, &rig)
                },
                { rig in
                    rig.connect()
                    rig.create([one])
                    rig.started(1)
                    rig.create([change(one)])
                    pass(24 * 3_600_000, &rig)
                },
            ]
        }
        return stories + [
            { rig in
                rig.connect()
                _ = rig.group { $0.createRun(all) }
                rig.started(1)
                _ = rig.group { $0.createRun(all) }
                pass(24 * 3_600_000, &rig)
            },
            // The run's own timeout, while it works and while it waits for an agent.
            { rig in
                rig.connect(slots: 1)
                _ = rig.group { $0.createRun(Make.request([Make.job("a"), Make.job("b")], timeoutMs: 5_000)) }
                rig.started(1)
                rig.tick(seconds: 6)
                rig.finish(1, .timedOut, .timeout)
            },
            begun({ $0.timeoutMs = 5_000 }) { rig in
                rig.tick(seconds: 6)
                rig.finish(1, .timedOut, .timeout)
            },
            begun({
                $0.timeoutMs = 5_000
                $0.allowFailure = .always
            }) { rig in
                rig.tick(seconds: 6)
                rig.finish(1, .timedOut, .timeout)
            },
        ]
    }

    /// What conditions and earlier runs decide.
    private static var decisions: [Story] {
        func run(_ jobs: [JobPlan], _ result: AttemptResult = .failed) -> Story {
            return { rig in
                rig.connect()
                rig.create(jobs)
                rig.finish(1, result)
            }
        }
        var stories: [Story] = [
            run([Make.job("a"), Make.job("b", needs: ["a"])]),
            run([Make.job("a"), Make.job("b", needs: ["a"], if: Make.never)], .success),
            run([Make.job("a", if: Make.never)]),
            run([Make.job("a", [Make.step("s"), Make.step("t", needs: ["s"]), Make.step("u", if: Make.never)])]),
            run([Make.job("a", allow: true), Make.job("b", needs: ["a"])]),
            // Clean-up where nothing had begun.
            { rig in
                rig.connect()
                var job = Make.job("a", [Make.step("s", if: Make.never)])
                cleaned(&job)
                rig.create([job])
            },
        ]
        // Clean-up that does not clean up.
        for (result, cause) in [(AttemptResult.failed, Cause.exit), (.timedOut, .timeout), (.lost, .agentLost)] {
            for allow in [false, true] {
                stories.append { rig in
                    rig.connect()
                    rig.create([Make.job("a", [Make.step("s"), StageTests.finally("f", allow: allow)])])
                    rig.finish(1)
                    rig.finish(2, result, cause)
                }
            }
        }
        // Outputs that are too many.
        for allow in [false, true] {
            stories.append { rig in
                rig.connect()
                rig.create([
                    Make.job("a", allow: allow, [Make.step("s"), Make.step("t", needs: ["s"])])
                ])
                rig.finish(1, outputs: ["x": String(repeating: "y", count: 40_000)])
                rig.finish(2, outputs: ["z": String(repeating: "y", count: 40_000)])
            }
        }
        stories.append { rig in
            var request = Make.request([Make.job("a")])
            request.fault = "line 3: unknown word"
            let wrong = request
            _ = rig.group { $0.createRun(wrong) }
        }
        // Taken over from an earlier run, as it was.
        for outcome in [Outcome.success, .warning, .skipped] {
            stories.append { rig in
                var request = Make.request([Make.job("a"), Make.job("b")])
                request.origin = RunOrigin(
                    run: 1, number: 1, kind: .failed,
                    carried: [
                        "a": CarriedJob(
                            outcome: outcome, cause: outcome == .skipped ? .conditionFalse : .exit, attempt: 1,
                            steps: [
                                CarriedJob.Step(outcome: outcome, cause: outcome == .skipped ? .conditionFalse : .exit)
                            ])
                    ])
                let again = request
                rig.connect()
                rig.create([Make.job("z")])
                rig.finish(1)
                _ = rig.group { $0.createRun(again) }
                rig.finish(2)
            }
        }
        return stories
    }

    @Test func everyEndIsReachedAndNoOther() {
        let seen = Seen()
        for story in Self.steps + Self.losses + Self.stops + Self.waits + Self.decisions {
            var rig = Rig(slots: 2)
            rig.watch = { seen.look($0) }
            story(&rig)
        }
        #expect(StateTable.ends.subtracting(seen.words).sorted() == [], "rows that no history reaches")
        #expect(seen.words.subtracting(StateTable.ends).sorted() == [], "rows that are not in the table")
        // Every word for a cause stands in the table.
        let causes = Set(seen.words.flatMap { $0.split(separator: " ").map(String.init) })
        for cause in Cause.allCases { #expect(causes.contains(cause.rawValue), "\(cause)") }
    }
}
