import AnsFlowProtocol

/// Which slot of which schedule: in an idempotency key, so that the store notes the slot in the run's own transaction.
package struct ScheduleSlot: Equatable, Hashable, Sendable {
    package var pipeline: PipelineID
    package var name: String
    /// In milliseconds since 1970.
    package var slot: Int64

    package init(pipeline: PipelineID, name: String, slot: Int64) {
        self.pipeline = pipeline
        self.name = name
        self.slot = slot
    }

    private static let mark = "schedule:"

    /// No caller can send one: theirs begin with another word.
    package var idempotencyKey: String { "\(Self.mark)\(pipeline.rawValue):\(slot):\(name)" }

    /// - Returns: `nil` for the keys of others.
    package init?(idempotencyKey key: String) {
        guard key.hasPrefix(Self.mark) else { return nil }
        let parts = key.dropFirst(Self.mark.count).split(
            separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let pipeline = Int64(parts[0]), let slot = Int64(parts[1]) else { return nil }
        self.init(pipeline: PipelineID(pipeline), name: String(parts[2]), slot: slot)
    }
}

/// A schedule as it is stored beside the definition that names it.
package struct ScheduleRow: Equatable, Sendable {
    package var pipeline: PipelineID
    package var name: String
    /// The expression's text.
    package var at: String
    package var zone: String
    package var enabled: Bool
    /// When it came to be known in this form, or was enabled; slots up to here are none of its.
    package var since: Int64
    /// Why its last slot made no run; `nil` where it did.
    package var error: String?
    package var errorAt: Int64?
    /// The newest slot that made a run, and the run.
    package var lastSlot: Int64?
    package var lastRun: RunID?

    package init(
        pipeline: PipelineID, name: String, at: String, zone: String, enabled: Bool = true, since: Int64,
        error: String? = nil, errorAt: Int64? = nil, lastSlot: Int64? = nil, lastRun: RunID? = nil
    ) {
        self.pipeline = pipeline
        self.name = name
        self.at = at
        self.zone = zone
        self.enabled = enabled
        self.since = since
        self.error = error
        self.errorAt = errorAt
        self.lastSlot = lastSlot
        self.lastRun = lastRun
    }
}

/// Schedules' rows. Each method is one transaction. That a slot made a run is noted by the engine's commit of the run.
package protocol ScheduleRepository: Sendable {
    /// All of one pipeline, by name.
    func schedules(of pipeline: PipelineID) async throws -> [ScheduleRow]
    /// Writes all but the last slot and run.
    func save(_ row: ScheduleRow) async throws
    /// Forgets those of a pipeline whose names are not among these. Fired slots stay.
    func keepSchedules(_ names: Set<String>, of pipeline: PipelineID) async throws
    /// Whether the slot made a run.
    func hasFired(_ slot: ScheduleSlot) async throws -> Bool
    /// The newest fired slot up to an instant.
    func lastFired(_ pipeline: PipelineID, _ name: String, through instant: Int64) async throws -> Int64?
}

/// A schedule with what is to come.
package struct ScheduleView: Equatable, Sendable {
    package var row: ScheduleRow
    package var missed: ScheduleTrigger.Missed
    /// Whether both it and its pipeline are enabled.
    package var isActive: Bool
    /// The slots to come; empty where it is not active.
    package var next: [Int64]

    package init(row: ScheduleRow, missed: ScheduleTrigger.Missed, isActive: Bool, next: [Int64]) {
        self.row = row
        self.missed = missed
        self.isActive = isActive
        self.next = next
    }
}

/// Looks at schedules and switches them.
package protocol ScheduleManaging: Sendable {
    /// By name.
    ///
    /// - Parameter count: of slots to come for each.
    func schedules(of pipeline: PipelineRow, count: Int) async throws -> [ScheduleView]
    /// Switches one off or on. The slots that pass while it is off are not made up for.
    ///
    /// - Returns: `nil` where the definition names no such schedule.
    func setEnabled(_ isEnabled: Bool, _ name: String, of pipeline: PipelineRow) async throws -> ScheduleView?
}
