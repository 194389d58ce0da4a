/// A run as people read it.
package struct RunText {
    package var style: Style

    package init(style: Style = Style()) {
        self.style = style
    }

    /// Everything about one run.
    package func details(_ run: RunModel, url: String) -> String {
        var lines = [title(run)]
        func fact(_ name: String, _ value: String?) {
            guard let value, !value.isEmpty else { return }
            lines.append("  " + Self.padded(name, 10) + SafeText.line(value, colours: false))
        }
        fact("message", run.message)
        fact("cause", run.cause)
        fact("ref", run.ref)
        fact("commit", run.commit)
        fact("event", [run.event, run.actor.map { "by \($0)" }].compactMap { $0 }.joined(separator: " "))
        fact("repeats", Self.origin(run))
        fact("group", run.group)
        fact("trust", run.trusted == false ? "untrusted: no secrets, waits for approval" : nil)
        fact("created", Durations.short(run.createdAt))
        fact("started", Durations.short(run.startedAt))
        fact("finished", Durations.short(run.finishedAt))
        fact("cancelled", [run.cancelledBy, run.cancelReason].compactMap { $0 }.joined(separator: ": "))
        lines += jobs(run)
        lines += waiting(run)
        lines.append("  " + Self.padded("address", 10) + Self.address(run, url: url))
        return lines.joined(separator: "\n")
    }

    /// What a followed run ends with.
    package func summary(_ run: RunModel, url: String) -> String {
        var lines = ["", title(run)]
        if let message = run.message, !message.isEmpty { lines.append("  " + SafeText.line(message, colours: false)) }
        lines += jobs(run)
        lines.append("  " + Self.address(run, url: url))
        return lines.joined(separator: "\n")
    }

    package func title(_ run: RunModel) -> String {
        let name = SafeText.line(run.pipelineName ?? "?", colours: false)
        let number = run.number.map { " #\($0)" } ?? ""
        let time = Durations.between(run.startedAt ?? run.createdAt, run.finishedAt)
        let took = time.isEmpty ? "" : " in \(time)"
        return style.paint("run \(run.id)", .bold) + " (\(name)\(number)): "
            + style.status(run.result ?? run.status) + took
    }

    package static func address(_ run: RunModel, url: String) -> String {
        "\(url)/api/v1/pipeline-runs/\(run.id)"
    }

    private static func origin(_ run: RunModel) -> String? {
        guard let origin = run.originId else { return nil }
        switch run.rerun {
        case "failed": return "run \(origin), what failed"
        case "from": return "run \(origin), from one job on"
        default: return "run \(origin)"
        }
    }

    private func jobs(_ run: RunModel) -> [String] {
        let jobs = run.jobs ?? []
        var width = 12
        for job in jobs {
            width = max(width, job.name.count)
            for step in job.steps ?? [] { width = max(width, step.name.count + 2) }
        }
        var lines: [String] = []
        for job in jobs {
            let agent = job.agent.map { "on \($0)" } ?? ""
            let target = job.environment.map { "to \($0)" } ?? ""
            let kept = job.carriedFrom == nil || job.message != nil ? "" : "taken over"
            lines.append(
                row(
                    job.name, width, job.result ?? Self.word(job.phase) ?? job.status,
                    Durations.between(job.startedAt, job.finishedAt),
                    [agent, target, kept, job.message ?? job.cause ?? ""]))
            lines += attempts(job.attempts ?? [], "    ", width)
            for step in job.steps ?? [] {
                let again = (step.attempt ?? 0) > 1 ? "attempt \(step.attempt ?? 0)" : ""
                lines.append(
                    row(
                        "  " + step.name, width, step.result ?? Self.word(step.phase) ?? step.status,
                        Durations.between(step.startedAt, step.finishedAt), [again, FollowState.note(of: step)]))
                lines += attempts(step.attempts ?? [], "      ", width)
            }
        }
        return lines
    }

    /// What was tried, where that was more than once.
    private func attempts(_ attempts: [AttemptModel], _ indent: String, _ width: Int) -> [String] {
        guard attempts.count > 1 else { return [] }
        return attempts.map { attempt in
            row(
                "\(indent)attempt \(attempt.number)", width, attempt.result ?? "running",
                Durations.between(attempt.startedAt, attempt.finishedAt),
                [attempt.agent.map { "on \($0)" } ?? "", FollowState.note(of: attempt)])
        }
    }

    /// Phases that say more than the status.
    private static func word(_ phase: String?) -> String? {
        phase.flatMap { ["unreachable", "stopping"].contains($0) ? $0 : nil }
    }

    private func row(_ name: String, _ width: Int, _ status: String, _ time: String, _ notes: [String]) -> String {
        let blanks = String(repeating: " ", count: max(1, 10 - status.count))
        let note = notes.filter { !$0.isEmpty }.joined(separator: ", ")
        let text =
            "  " + Self.padded(SafeText.line(name, colours: false), width) + "  " + style.status(status) + blanks
            + Self.padded(time, 9) + SafeText.line(note, colours: false)
        return text.last == " " ? String(text.reversed().drop { $0 == " " }.reversed()) : text
    }

    private func waiting(_ run: RunModel) -> [String] {
        let text = WaitingText(style: style)
        // An approval says the same with all that its answer needs.
        let reasons = (run.waiting ?? []).filter { $0.kind != "approval" || (run.approvals ?? []).isEmpty }
        return (run.approvals ?? []).flatMap { text.lines($0, run: run.id) } + reasons.flatMap { text.lines($0) }
    }

    package static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
