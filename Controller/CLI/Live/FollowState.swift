/// Where one step of a run is shown, by names: `build/test`.
package struct StepPlace: Hashable, Comparable, Sendable {
    package var job: String
    package var step: String

    package init(job: String, step: String) {
        self.job = job
        self.step = step
    }

    package var text: String { "\(job)/\(step)" }

    package static func < (left: StepPlace, right: StepPlace) -> Bool {
        (left.job, left.step) < (right.job, right.step)
    }
}

/// One attempt of a step; its log has its own cursor.
package struct LogKey: Hashable, Comparable, Sendable {
    package var place: StepPlace
    /// From 1.
    package var attempt: Int

    package init(place: StepPlace, attempt: Int) {
        self.place = place
        self.attempt = attempt
    }

    package static func < (left: LogKey, right: LogKey) -> Bool {
        (left.place, left.attempt) < (right.place, right.attempt)
    }
}

/// Which of a run's logs are followed.
package struct LogSelection: Equatable, Sendable {
    /// A step's id, its name, or `job/step`; nil for all.
    package var step: String?
    /// Nil for every attempt.
    package var attempt: Int?
    package var fromLine: Int64

    package init(step: String? = nil, attempt: Int? = nil, fromLine: Int64 = 1) {
        self.step = step
        self.attempt = attempt
        self.fromLine = fromLine
    }

    package func includes(_ place: StepPlace, id: Int64?) -> Bool {
        guard let step else { return true }
        return step == place.text || step == place.step || id.map { step == String($0) } == true
    }
}

/// What a follower has shown so far. Pure: it decides what to show and what to fetch, and does neither.
package struct FollowState: Sendable {
    package enum Output: Equatable, Sendable {
        case stepBegan(StepPlace, attempt: Int, agent: String?)
        case stepEnded(StepPlace, status: String, note: String, duration: String)
        /// An attempt that was not the step's last.
        case attemptEnded(LogKey, status: String, note: String, duration: String)
        case waiting(String)
    }

    /// What one look at the run leads to, in this order.
    package enum Action: Equatable, Sendable {
        case show(Output)
        /// A log to read to its present end; of an attempt that is over, to its last line.
        case pull(LogKey, over: Bool)
    }

    package let selection: LogSelection
    package private(set) var cursors: [LogKey: LogCursor] = [:]
    /// Steps by every name that a push may use.
    private var places: [String: StepPlace] = [:]
    /// Number of the last event that the shown state includes.
    package private(set) var seq: Int64 = 0
    private var begun: [StepPlace: Int] = [:]
    /// Where each step's job runs.
    private var agents: [StepPlace: String] = [:]
    private var over: Set<LogKey> = []
    private var reasons: [String: String] = [:]

    package init(selection: LogSelection = LogSelection()) {
        self.selection = selection
    }

    /// Takes a run as it was read. Ends come first, in the order in which they came, then what goes on: so a step that waited for
    /// another one begins after that one's end.
    ///
    /// - Parameter all: whether running logs are pulled too, as after a (re)connection
    package mutating func look(at run: RunModel, all: Bool) -> [Action] {
        var ended: [(at: String, actions: [Action])] = []
        var running: [Action] = []
        seq = max(seq, run.seq ?? 0)
        for job in run.jobs ?? [] {
            for step in job.steps ?? [] {
                let actions = look(at: step, of: job, all: all || run.isFinished)
                if step.isFinished {
                    ended.append((step.finishedAt ?? "", actions))
                } else {
                    running += actions
                }
            }
        }
        // Times are text of one form, so their order is the text's; the sort keeps equal ones as the run lists them.
        ended.sort { $0.at < $1.at }
        var actions = ended.flatMap(\.actions) + running
        for reason in run.waiting ?? [] where reason.kind != "needs" && reason.kind != "parallel" {
            if let text = news(of: reason, run) { actions.append(.show(.waiting(text))) }
        }
        return actions
    }

    /// Why something waits, where that was not said yet. What only counts down is said once.
    private mutating func news(of reason: WaitingModel, _ run: RunModel) -> String? {
        let place = WaitingText.place(of: reason)
        let said: String
        switch reason.kind {
        case "approval": said = "approval"
        case "retry": said = "retry \(attempts(of: reason, run))"
        default: said = reason.message
        }
        guard reasons[place] != said else { return nil }
        reasons[place] = said
        var text = place.isEmpty ? reason.message : "\(place): \(reason.message)"
        if reason.kind == "approval" { text += " (\(WaitingText.answer(run: run.id, job: reason.job)))" }
        return text
    }

    /// How often what waits was tried.
    private func attempts(of reason: WaitingModel, _ run: RunModel) -> Int {
        let job = run.jobs?.first { $0.name == reason.job }
        guard let step = reason.step else { return job?.attempts?.count ?? 0 }
        return job?.steps?.first { $0.name == step }?.attempt ?? 0
    }

    private mutating func look(at step: StepModel, of job: JobModel, all: Bool) -> [Action] {
        var actions: [Action] = []
        let place = StepPlace(job: job.name, step: step.name)
        if let id = step.id { places[String(id)] = place }
        places[place.text] = place
        agents[place] = job.agent
        guard selection.includes(place, id: step.id) else { return [] }
        let newest = step.attempt ?? 0
        // Behind the lines of its log.
        var after: [Action] = []
        if newest > 0 {
            if step.startedAt != nil || step.isFinished, let output = begin(LogKey(place: place, attempt: newest)) {
                actions.append(.show(output))
            }
            for attempt in 1...newest where selection.attempt == nil || selection.attempt == attempt {
                let key = LogKey(place: place, attempt: attempt)
                if cursors[key] == nil { cursors[key] = LogCursor(next: selection.fromLine) }
                let ended = step.attempts?.first { $0.number == attempt && $0.result != nil }
                let isOver = attempt < newest || step.isFinished || ended != nil
                if let ended, attempt < newest || !step.isFinished, over.insert(key).inserted {
                    after.append(
                        .show(
                            .attemptEnded(
                                key, status: ended.result ?? "", note: Self.note(of: ended),
                                duration: Durations.between(ended.startedAt, ended.finishedAt))))
                }
                guard cursors[key]?.isClosed == false, isOver || all else { continue }
                actions.append(.pull(key, over: isOver))
                actions += after
                after = []
            }
        }
        actions += after
        if step.isFinished, over.insert(LogKey(place: place, attempt: newest)).inserted {
            actions.append(
                .show(
                    .stepEnded(
                        place, status: step.result ?? step.status, note: Self.note(of: step),
                        duration: Durations.between(step.startedAt, step.finishedAt))))
        }
        return actions
    }

    /// Says that an attempt began, once; nil where that was said. Its first line says so too: it may come before the state does.
    package mutating func begin(_ key: LogKey) -> Output? {
        guard begun[key.place, default: 0] < key.attempt else { return nil }
        begun[key.place] = key.attempt
        return .stepBegan(key.place, attempt: key.attempt, agent: agents[key.place])
    }

    /// Why a step ended as it did, where that is not plain.
    package static func note(of step: StepModel) -> String {
        if let message = step.message, !message.isEmpty { return message }
        if let code = step.exitCode, code != 0 { return "exit code \(code)" }
        switch step.cause {
        case nil, "exit", "condition_false", "upstream_failed": return step.status == "skipped" ? step.cause ?? "" : ""
        case let cause?: return cause
        }
    }

    package static func note(of attempt: AttemptModel) -> String {
        if let message = attempt.message, !message.isEmpty { return message }
        if let code = attempt.exitCode, code != 0 { return "exit code \(code)" }
        return attempt.cause == "exit" ? "" : attempt.cause ?? ""
    }

    /// Takes lines of one attempt that were pushed or fetched.
    package mutating func take(_ lines: [LogLineModel], of key: LogKey) -> LogCursor.Taken {
        cursors[key, default: LogCursor(next: selection.fromLine)].take(lines)
    }

    package mutating func close(_ key: LogKey) -> LogLineModel? {
        cursors[key]?.close()
    }

    /// The cursors as a subscription takes them: `job/step/attempt` to the line that is wanted next, for logs that still grow. At
    /// most 40, so that they fit into a request line; others start at their present end, and what lies before is fetched.
    package var subscription: JSONValue {
        var members: [String: JSONValue] = [:]
        for (key, cursor) in cursors.lazy.filter({ !$0.value.isClosed }).prefix(40) {
            members["\(key.place.text)/\(key.attempt)"] = .int(cursor.next)
        }
        return .object(members)
    }

    /// The attempt that a push belongs to; nil where it is not followed or not known yet.
    package func key(of content: LiveMessage.Content) -> LogKey? {
        guard let attempt = content.attempt else { return nil }
        let place = content.step.flatMap { places[$0] } ?? content.stepId.flatMap { places[String($0)] }
        guard let place else { return nil }
        let key = LogKey(place: place, attempt: attempt)
        return cursors[key] == nil ? nil : key
    }
}
