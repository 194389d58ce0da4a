import AnsFlowProtocol

/// Sentences about runs, for forges and chats.
package enum RunWords {
    /// Forges cut what is longer.
    package static let summaryBytesMax = 140

    /// Where a run is to be looked at, below the controller's own address.
    package static func path(of run: Int64) -> String { "/api/v1/pipeline-runs/\(run)" }

    static func name(_ row: RunRow) -> String {
        let place = row.branch.isEmpty ? row.tag : row.branch
        return "\(row.pipelineName) #\(row.number)" + (place.isEmpty ? "" : " on \(place)")
    }

    static func ended(_ outcome: Outcome) -> String {
        switch outcome {
        case .success: "succeeded"
        case .warning: "succeeded with warnings"
        case .cancelled: "was cancelled"
        case .skipped: "was skipped"
        case .timedOut: "took too long"
        case .failed, .invalid, .lost, .error: "failed"
        }
    }

    /// Why a run stands where it does, in one line.
    static func summary(_ run: OutboxBatch.Run) -> String {
        let row = run.row
        guard row.phase == .finished, let outcome = row.outcome else {
            if !run.waiting.isEmpty { return "Waits for approval" }
            switch row.phase {
            case .created, .queued: return "Waits to start"
            case .blocked: return row.message.map(line) ?? "Waits for its turn"
            default: return row.outcome?.isFailure == true ? "Has failed, still runs" : "Runs"
            }
        }
        let took =
            row.startedAt.flatMap { begun in row.finishedAt.map { " in \(TimeWords.words(UInt64(max(0, $0 - begun))))" }
            } ?? ""
        switch outcome {
        case .success: return "Succeeded\(took)"
        case .warning: return line("Succeeded with warnings\(took)")
        case .cancelled:
            let by = row.cancelledBy.map { " by \($0)" } ?? ""
            return line("Cancelled\(by)" + (row.cancelReason.map { ": \($0)" } ?? ""))
        case .skipped: return line("Skipped" + (row.message.map { ": \($0)" } ?? ""))
        case .failed, .timedOut, .lost, .error, .invalid:
            let jobs = run.failedJobs.isEmpty ? "" : ": \(run.failedJobs.joined(separator: ", "))"
            let why = jobs.isEmpty ? row.message.map { ": \($0)" } ?? row.cause.map { ": \($0.rawValue)" } ?? "" : jobs
            return line("Failed\(took)\(why)")
        }
    }

    /// One line of what a forge shows, cut at a whole character.
    package static func line(_ text: String) -> String {
        var result = ""
        for character in text {
            let shown: Character =
                character.isNewline || character.unicodeScalars.contains { $0.value < 32 } ? " " : character
            guard result.utf8.count + shown.utf8.count <= summaryBytesMax - 3 else { return result + "…" }
            result.append(shown)
        }
        return result
    }
}
