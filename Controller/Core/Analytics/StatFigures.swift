/// What was counted of runs, steps or requests that ended within some time.
package struct StatFigures: Equatable, Sendable {
    package enum Ending: Sendable { case success, failed, cancelled, skipped }

    /// For requests: answered without an error.
    package var success: Int64 = 0
    /// For requests: failed by the controller's own fault.
    package var failed: Int64 = 0
    /// For requests: refused.
    package var cancelled: Int64 = 0
    package var skipped: Int64 = 0
    /// From start to end: milliseconds; of requests microseconds.
    package var durations = DurationSketch()
    /// From creation to start.
    package var queues = DurationSketch()

    package init() {}

    package var total: Int64 { success + failed + cancelled + skipped }

    /// Of those that came to an end of their own; nil where none did.
    package var successRate: Double? {
        success + failed > 0 ? Double(success) / Double(success + failed) : nil
    }

    package mutating func add(_ ending: Ending, duration: Int64?, queue: Int64?) {
        switch ending {
        case .success: success += 1
        case .failed: failed += 1
        case .cancelled: cancelled += 1
        case .skipped: skipped += 1
        }
        if let duration { durations.add(duration) }
        if let queue { queues.add(queue) }
    }

    package mutating func merge(_ other: StatFigures) {
        success += other.success
        failed += other.failed
        cancelled += other.cancelled
        skipped += other.skipped
        durations.merge(other.durations)
        queues.merge(other.queues)
    }
}

extension StatFigures.Ending {
    package init(_ outcome: Outcome) {
        switch outcome {
        case .success, .warning: self = .success
        case .failed, .timedOut, .lost, .error, .invalid: self = .failed
        case .cancelled: self = .cancelled
        case .skipped: self = .skipped
        }
    }
}

/// Whose figures they are.
package enum StatScope: Int, Sendable, CaseIterable {
    /// All runs.
    case all = 0
    /// A project's runs.
    case project = 1
    /// A pipeline's runs.
    case pipeline = 2
    /// A pipeline's step's attempts, by `job/step`.
    case step = 3
    /// An agent's step attempts.
    case agent = 4
    /// An operation's requests.
    case route = 5
}

/// One party's place in the tables.
package struct StatKey: Hashable, Sendable {
    package var scope: StatScope
    package var id: Int64
    package var name: String

    package init(_ scope: StatScope, id: Int64 = 0, name: String = "") {
        self.scope = scope
        self.id = id
        self.name = name
    }
}
