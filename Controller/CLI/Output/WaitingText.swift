/// Why parts of a run wait and what was asked and answered, as people read it.
package struct WaitingText {
    package var style: Style

    package init(style: Style = Style()) {
        self.style = style
    }

    /// Empty for the whole run.
    package static func place(of reason: WaitingModel) -> String {
        [reason.job, reason.step].compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: "/")
    }

    /// The command that answers an approval.
    package static func answer(run: Int64, job: String?) -> String {
        guard let job, !job.isEmpty else { return "ansflow approve \(run)" }
        return "ansflow approve \(run) \(ShellWord.quoted(job))"
    }

    /// With the agents that were considered and who is in front.
    package func lines(_ reason: WaitingModel) -> [String] {
        let place = Self.place(of: reason)
        let position = reason.position.map { " (place \($0) in the queue)" } ?? ""
        let left = Self.left(reason)
        var lines = [
            "  " + style.paint("waits", .yellow)
                + " \(place.isEmpty ? "the run" : place): \(reason.message)\(position)\(left)"
        ]
        for candidate in reason.candidates ?? [] {
            lines.append("        \(candidate.agent ?? "?"): \(candidate.lacks ?? "")")
        }
        for front in reason.front ?? [] {
            let number = front.number.map { " #\($0)" } ?? ""
            let job = front.job.map { ", job \($0)" } ?? ""
            let what = front.holds == true ? "holds the group" : "waits before"
            lines.append("        run \(front.runId ?? 0) (\(front.pipelineName ?? "?")\(number)\(job)): \(what)")
        }
        return lines.map { SafeText.line($0, colours: style.colours) }
    }

    /// What the message does not say: a back-off's has its time.
    private static func left(_ reason: WaitingModel) -> String {
        guard let left = reason.remainingMs, reason.kind != "retry" else { return "" }
        return reason.kind == "approval"
            ? ", \(Durations.text(ms: left)) left" : ", gives up in \(Durations.text(ms: left))"
    }

    package func lines(_ approval: ApprovalModel, run: Int64) -> [String] {
        let place = approval.job ?? "the run"
        var lines: [String] = []
        if approval.state == "waiting" {
            let who = approval.who.isEmpty ? "" : " of a \(approval.who)"
            let left = approval.expiresInMs.map { ", \(Durations.text(ms: $0)) left" } ?? ""
            lines.append("  " + style.paint("approval", .yellow) + " \(place): waits for the word\(who)\(left)")
            if let message = approval.message { lines.append("        \(message)") }
            for input in approval.inputs ?? [] { lines.append("        " + Self.text(input)) }
            lines.append("        \(Self.answer(run: run, job: approval.job))")
        } else {
            let by = approval.answeredBy.map { " by \($0)" } ?? ""
            let at = approval.answeredAt.map { " at \(Durations.short($0))" } ?? ""
            let reason = approval.reason.map { ": \($0)" } ?? ""
            lines.append("  approval \(place): \(approval.state ?? "?")\(by)\(at)\(reason)")
        }
        return lines.map { SafeText.line($0, colours: style.colours) }
    }

    private static func text(_ input: ApprovalModel.Input) -> String {
        let options = input.options ?? []
        let kind = options.isEmpty ? input.type ?? "text" : options.joined(separator: "|")
        let need = input.required == true ? ", required" : ""
        let description = input.description.map { "  \($0)" } ?? ""
        return "--input \(input.name)=<\(kind)>\(need)\(description)"
    }
}
