import AnsFlowProtocol

/// What the store knows of runs that have changed since the outbox last looked, read in one transaction.
package struct OutboxBatch: Equatable, Sendable {
    package struct Run: Equatable, Sendable {
        package var row: RunRow
        /// Of its pipeline; empty where it has none.
        package var repositoryURL: String
        /// Of the run before on the same pipeline and branch that was neither cancelled nor skipped; asked for where the run has ended.
        package var previous: Outcome?
        /// The first few jobs that failed.
        package var failedJobs: [String]
        /// What waits for approval: a job's number and name; 0 for the whole run.
        package var waiting: [Waiting]
        /// Job attempts that were lost with their agents.
        package var lost: [Lost]
        /// What the pipeline's own definition asks for.
        package var notify: [NotifyPlan]

        package init(
            row: RunRow, repositoryURL: String = "", previous: Outcome? = nil, failedJobs: [String] = [],
            waiting: [Waiting] = [], lost: [Lost] = [], notify: [NotifyPlan] = []
        ) {
            self.row = row
            self.repositoryURL = repositoryURL
            self.previous = previous
            self.failedJobs = failedJobs
            self.waiting = waiting
            self.lost = lost
            self.notify = notify
        }
    }

    package struct Waiting: Equatable, Sendable {
        package var job: Int64
        package var name: String?
        package init(job: Int64, name: String?) {
            self.job = job
            self.name = name
        }
    }

    package struct Lost: Equatable, Sendable {
        package var attempt: Int64
        package var job: String
        package var agent: String
        package init(attempt: Int64, job: String, agent: String) {
            self.attempt = attempt
            self.job = job
            self.agent = agent
        }
    }

    /// The event that was looked at last before, and now.
    package var from: Int64
    package var through: Int64
    /// By id.
    package var runs: [Run] = []
    /// Of these runs' projects.
    package var connections: [ForgeConnection] = []
    package var rules: [NotificationRule] = []
    package var targets: [NotificationTarget] = []

    package init(from: Int64, through: Int64) {
        self.from = from
        self.through = through
    }
}

/// What becomes of a batch: rows that are written in the transaction that moves the cursor.
package struct OutboxWrites: Equatable, Sendable {
    /// Something for people to read in the application.
    package struct InApp: Equatable, Sendable {
        /// Makes it unique: the same is written once.
        package var key: String
        package var notice: Notice
        package init(key: String, notice: Notice) {
            self.key = key
            self.notice = notice
        }
    }

    /// Something to be sent to a target.
    package struct Delivery: Equatable, Sendable {
        package var key: String
        package var target: Int64
        /// `nil` where the pipeline's definition asked for it.
        package var rule: Int64?
        package var notice: Notice
        package init(key: String, target: Int64, rule: Int64?, notice: Notice) {
            self.key = key
            self.target = target
            self.rule = rule
            self.notice = notice
        }
    }

    package var statuses: [CommitStatus] = []
    package var inApp: [InApp] = []
    package var deliveries: [Delivery] = []

    package init() {}

    package var isEmpty: Bool { statuses.isEmpty && inApp.isEmpty && deliveries.isEmpty }
}

/// Says what is to be sent. Pure: the same batch gives the same writes, and each has a key that makes it unique, so that a batch which
/// is looked at twice sends nothing twice.
package enum OutboxDerivation {
    package static func writes(of batch: OutboxBatch, now: Int64) -> OutboxWrites {
        var writes = OutboxWrites()
        for run in batch.runs {
            statuses(of: run, batch, &writes)
            for (key, notice) in notices(of: run, now: now) { route(key, notice, batch, run.notify, &writes) }
        }
        return writes
    }

    /// Sends a notice to all that ask for it.
    package static func route(
        _ key: String, _ notice: Notice, _ batch: OutboxBatch, _ plans: [NotifyPlan] = [], _ writes: inout OutboxWrites
    ) {
        for rule in batch.rules where rule.takes(notice) {
            let ruleKey = "\(key):rule:\(rule.id)"
            if rule.inApp, !writes.inApp.contains(where: { $0.key == key }) {
                var shown = notice
                // A notice of the whole instance is shown where the rule's project is.
                if shown.project == nil { shown.project = rule.project.rawValue }
                writes.inApp.append(.init(key: notice.project == nil ? ruleKey : key, notice: shown))
            }
            if let target = rule.target, batch.targets.contains(where: { $0.id == target && $0.enabled }) {
                writes.deliveries.append(.init(key: ruleKey, target: target, rule: rule.id, notice: notice))
            }
        }
        for plan in plans where plan.on.contains(notice.event) {
            guard
                let target = batch.targets.first(where: {
                    $0.name == plan.webhook && $0.project.rawValue == notice.project && $0.enabled
                })
            else { continue }
            let planKey = "\(key):plan:\(target.id)"
            guard !writes.deliveries.contains(where: { $0.key == planKey }) else { continue }
            writes.deliveries.append(.init(key: planKey, target: target.id, rule: nil, notice: notice))
        }
    }

    private static func statuses(of run: OutboxBatch.Run, _ batch: OutboxBatch, _ writes: inout OutboxWrites) {
        let row = run.row
        guard CommitStatus.isCommit(row.commit) else { return }
        for connection in batch.connections
        where connection.takes(row.pipeline, of: row.project, repositoryURL: run.repositoryURL) {
            writes.statuses.append(
                CommitStatus(
                    connection: connection.id, commit: row.commit, context: CommitStatus.context(row.pipelineName),
                    run: row.id.rawValue, seq: row.seq, state: CommitState(row.phase, row.outcome),
                    summary: RunWords.summary(run), ref: row.branch.isEmpty ? row.tag : row.branch))
        }
    }

    /// With the keys that make them unique.
    private static func notices(of run: OutboxBatch.Run, now: Int64) -> [(String, Notice)] {
        let row = run.row
        var found: [(String, Notice)] = []
        func add(_ key: String, _ event: NoticeEvent, _ title: String, _ message: String) {
            let notice = Notice(
                event, title: title, message: message, at: now, project: row.project.rawValue,
                pipeline: row.pipeline.rawValue, pipelineName: row.pipelineName, run: row.id.rawValue,
                runNumber: row.number, status: Status(phase: row.phase, outcome: row.outcome).rawValue,
                branch: row.branch, commit: row.commit, actor: row.actor)
            found.append(("run:\(row.id):\(key):\(event.rawValue)", notice))
        }
        let name = RunWords.name(row)
        for waiting in run.waiting {
            let what = waiting.name.map { "the job \($0) waits" } ?? "it waits"
            add(
                "gate:\(waiting.job)", .waitingForApproval, "\(name) waits for approval",
                "In \(name), \(what) for somebody's approval.")
        }
        for lost in run.lost {
            add(
                "lost:\(lost.attempt)", .agentLost, "\(name) lost an agent",
                "The agent \(lost.agent) was lost while it ran the job \(lost.job).")
        }
        guard row.phase == .finished, let outcome = row.outcome else { return found }
        let summary = RunWords.summary(run)
        let isGood = outcome == .success || outcome == .warning
        if outcome.isFailure { add("end", .failed, "\(name) failed", summary) }
        if isGood, run.previous?.isFailure == true {
            add("end", .fixed, "\(name) is fixed", "It succeeded where the run before had failed.")
        }
        add("end", .always, "\(name) \(RunWords.ended(outcome))", summary)
        return found
    }
}
