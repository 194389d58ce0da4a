package import ControllerCore
package import Logging

/// Starts runs when their time has come: follows the saved pipelines, keeps a ``ScheduleLifecycle`` for each schedule that their
/// definitions name, and makes the runs.
package actor Scheduler: ScheduleManaging {
    /// The engine's command.
    package typealias CreateRun = @Sendable (RunRequest) async throws(CommandFailure) -> RunRow

    package struct Configuration: Sendable {
        /// Milliseconds since 1970.
        package var now: @Sendable () -> Int64
        /// `nil` where there is no such zone.
        package var zone: @Sendable (String) -> ZoneOffset?
        /// Grows when a pipeline was saved or deleted.
        package var pipelinesVersion: @Sendable () -> UInt64
        /// Pauses after each try that failed, in milliseconds; with the last one gone the slot is given up.
        package var pausesMs: [Int64] = [10_000, 30_000, 60_000, 300_000, 600_000]
        /// Runs that are made at one time.
        package var parallel = 8

        package init(
            now: @escaping @Sendable () -> Int64, zone: @escaping @Sendable (String) -> ZoneOffset?,
            pipelinesVersion: @escaping @Sendable () -> UInt64
        ) {
            self.now = now
            self.zone = zone
            self.pipelinesVersion = pipelinesVersion
        }
    }

    private struct Key: Hashable {
        var pipeline: PipelineID
        var name: String
    }

    private struct Entry {
        var row: ScheduleRow
        var lifecycle: ScheduleLifecycle
        var isActive: Bool
        /// Of the slot that is being fired.
        var failures = 0
    }

    private let pipelines: any PipelineRepository
    private let store: any ScheduleRepository
    private let definitions: any DefinitionReading
    private let runs: any RunPreparing
    private let createRun: CreateRun
    private let configuration: Configuration
    private let logger: Logger

    private var entries: [Key: Entry] = [:]
    private var loaded: UInt64?
    /// Of each pipeline, the version whose triggers were read, and what came of it.
    private var triggers: [PipelineID: (definition: String, plan: TriggerPlan?)] = [:]
    private var firing = 0

    package init(
        pipelines: any PipelineRepository, store: any ScheduleRepository, definitions: any DefinitionReading,
        runs: any RunPreparing, createRun: @escaping CreateRun, configuration: Configuration,
        logger: Logger = Logger(label: "ansflow.schedules")
    ) {
        self.pipelines = pipelines
        self.store = store
        self.definitions = definitions
        self.runs = runs
        self.createRun = createRun
        self.configuration = configuration
        self.logger = logger
    }

    /// What a tick asks its caller to do, beside other ticks.
    package struct Firing: Sendable {
        fileprivate var pipeline: PipelineID
        fileprivate var name: String
        package var slot: Int64
    }

    // MARK: Time

    /// Call about once a second; for each that comes back, call ``fire(_:)``.
    package func tick() async -> [Firing] {
        await follow()
        let now = configuration.now()
        var due: [Firing] = []
        for key in entries.keys {
            guard var entry = entries[key] else { continue }
            if !entry.isActive {
                entry.lifecycle.pass(now: now)
            } else if firing + due.count < configuration.parallel {
                switch entry.lifecycle.tick(now: now) {
                case .none: break
                case .fire(let slot, let isLate):
                    if isLate { log("a missed time is made up for", key, slot) }
                    due.append(Firing(pipeline: key.pipeline, name: key.name, slot: slot))
                case .skipped(let slot): log("missed times are skipped", key, slot)
                case .clockSetBack: log("the clock was set back", key, now)
                }
            }
            entries[key] = entry
        }
        firing += due.count
        return due
    }

    private func log(_ message: Logger.Message, _ key: Key, _ slot: Int64) {
        logger.info(
            message,
            metadata: ["pipeline": "\(key.pipeline)", "schedule": "\(key.name)", "slot": "\(Timestamp.text(slot))"])
    }

    /// Makes the run of a slot.
    package func fire(_ due: Firing) async {
        defer { firing -= 1 }
        let key = Key(pipeline: due.pipeline, name: due.name)
        let slot = ScheduleSlot(pipeline: due.pipeline, name: due.name, slot: due.slot)
        switch await make(slot) {
        case .success(let run):
            guard var entry = entries[key] else { return }
            entry.lifecycle.fired(due.slot)
            entry.failures = 0
            if let run {
                entry.row.lastSlot = due.slot
                entry.row.lastRun = run
            }
            let hadError = entry.row.error != nil
            entry.row.error = nil
            entry.row.errorAt = nil
            entries[key] = entry
            if hadError { try? await store.save(entry.row) }
        case .failure(let trouble):
            await failed(key, due.slot, trouble)
        }
    }

    private func failed(_ key: Key, _ slot: Int64, _ trouble: Trouble) async {
        guard var entry = entries[key] else { return }
        let pauses = configuration.pausesMs
        if trouble.mayRetry, entry.failures < pauses.count {
            entry.lifecycle.failed(slot, retryAt: configuration.now() + pauses[entry.failures])
            entry.failures += 1
            entries[key] = entry
            return
        }
        entry.lifecycle.fired(slot)
        entry.failures = 0
        entry.row.error = "No run was made for \(Timestamp.text(slot)): \(trouble.message)"
        entry.row.errorAt = configuration.now()
        // What was given up must not be tried again after a restart.
        entry.row.since = max(entry.row.since, slot)
        entries[key] = entry
        logger.warning(
            "a schedule could not start its run",
            metadata: [
                "pipeline": "\(key.pipeline)", "schedule": "\(key.name)", "slot": "\(Timestamp.text(slot))",
                "reason": "\(trouble.message)",
            ])
        try? await store.save(entry.row)
    }

    private struct Trouble: Error {
        var message: String
        var mayRetry: Bool
    }

    /// - Returns: the run; `nil` where the slot has one already.
    private func make(_ slot: ScheduleSlot) async -> Result<RunID?, Trouble> {
        do {
            if try await store.hasFired(slot) { return .success(nil) }
            guard let pipeline = try await pipelines.pipeline(slot.pipeline), pipeline.enabled else {
                return .success(nil)
            }
            let request = try await runs.prepare(
                pipeline,
                RunWish(
                    event: "cron", actor: "schedule \(slot.name)", idempotencyKey: slot.idempotencyKey,
                    schedule: slot.name))
            return .success(try await createRun(request).id)
        } catch let refusal as RunRefusal {
            return .failure(Self.trouble(refusal))
        } catch let failure as CommandFailure {
            return Self.outcome(failure)
        } catch {
            return .failure(Trouble(message: "the database can't be read: \(error)", mayRetry: true))
        }
    }

    private static func trouble(_ refusal: RunRefusal) -> Trouble {
        switch refusal {
        case .repository(let failure):
            Trouble(message: "the repository could not be fetched: \(failure)", mayRetry: failure.mayRetry)
        case .definition(let diagnostics):
            Trouble(
                message: diagnostics.first { $0.severity == .error }.map(String.init(describing:))
                    ?? "the definition can't be used", mayRetry: false)
        case .trigger(let why), .unneeded(let why): Trouble(message: why, mayRetry: false)
        }
    }

    private static func outcome(_ failure: CommandFailure) -> Result<RunID?, Trouble> {
        switch failure {
        // The key is known: the slot has its run.
        case .conflict: .success(nil)
        case .notFound: .success(nil)
        case .notWritable(let why): .failure(Trouble(message: why, mayRetry: true))
        case .overloaded: .failure(Trouble(message: "too many commands wait", mayRetry: true))
        case .invalid(let faults):
            .failure(Trouble(message: faults.map(\.message).joined(separator: " "), mayRetry: false))
        }
    }

    // MARK: Pipelines

    /// Takes up what was saved since the last look.
    private func follow() async {
        let version = configuration.pipelinesVersion()
        guard version != loaded else { return }
        do {
            var all: [PipelineRow] = []
            var page = 1
            while true {
                let rows = try await pipelines.pipelines(
                    project: nil, visible: .all, text: nil, page: page, perPage: 100)
                all += rows.items
                page += 1
                if rows.items.isEmpty || all.count >= rows.total { break }
            }
            for pipeline in all { try await take(pipeline) }
            let ids = Set(all.map(\.id))
            for key in entries.keys where !ids.contains(key.pipeline) { entries[key] = nil }
            for id in triggers.keys where !ids.contains(id) { triggers[id] = nil }
            loaded = version
        } catch {
            logger.error("schedules can't be read", metadata: ["error": "\(error)"])
        }
    }

    private func plan(of pipeline: PipelineRow) -> TriggerPlan? {
        if let known = triggers[pipeline.id], known.definition == pipeline.definition { return known.plan }
        let file = pipeline.path.isEmpty ? RunPreparation.pathDefault : pipeline.path
        let plan = definitions.triggers(in: pipeline.definition, file: file)
        triggers[pipeline.id] = (pipeline.definition, plan)
        return plan
    }

    private func take(_ pipeline: PipelineRow) async throws {
        let wanted = plan(of: pipeline)?.schedules ?? []
        let known = entries.keys.filter { $0.pipeline == pipeline.id }
        guard !wanted.isEmpty || !known.isEmpty else { return }
        let names = Set(wanted.map(\.name))
        for key in known where !names.contains(key.name) { entries[key] = nil }
        let rows = Dictionary(try await store.schedules(of: pipeline.id).map { ($0.name, $0) }) { $1 }
        // Most saves change no schedule: then nothing is written.
        if !names.isSuperset(of: rows.keys) { try await store.keepSchedules(names, of: pipeline.id) }
        for trigger in wanted { try await take(trigger, of: pipeline, rows[trigger.name]) }
    }

    private func take(_ trigger: ScheduleTrigger, of pipeline: PipelineRow, _ stored: ScheduleRow?) async throws {
        let key = Key(pipeline: pipeline.id, name: trigger.name)
        let now = configuration.now()
        var row =
            stored
            ?? ScheduleRow(pipeline: pipeline.id, name: trigger.name, at: "", zone: "", since: now)
        let before = row
        let zone = configuration.zone(trigger.zone)
        let isNew = row.at != trigger.at.text || row.zone != trigger.zone
        if isNew {
            (row.at, row.zone, row.since, row.error, row.errorAt) = (trigger.at.text, trigger.zone, now, nil, nil)
        }
        let isActive = pipeline.enabled && row.enabled && zone != nil
        // Times that passed while it was off are not missed.
        if let entry = entries[key], isActive, !entry.isActive { row.since = now }
        if zone == nil {
            row.error = "There is no time zone `\(trigger.zone)`; write one as Europe/Berlin, or UTC."
            row.errorAt = row.errorAt ?? now
        }
        if row != before || stored == nil { try await store.save(row) }
        if var entry = entries[key], entry.lifecycle.trigger == trigger, !isNew, entry.isActive == isActive {
            entry.row = row
            entries[key] = entry
            return
        }
        let day: Int64 = 86_400_000
        let fired = try await store.lastFired(pipeline.id, trigger.name, through: now + day)
        entries[key] = Entry(
            row: row,
            lifecycle: ScheduleLifecycle(trigger, zone: zone ?? .utc, settled: max(row.since, fired ?? row.since)),
            isActive: isActive)
    }

    // MARK: Views

    package func schedules(of pipeline: PipelineRow, count: Int) async throws -> [ScheduleView] {
        await follow()
        let rows = Dictionary(try await store.schedules(of: pipeline.id).map { ($0.name, $0) }) { $1 }
        let now = configuration.now()
        return entries.filter { $0.key.pipeline == pipeline.id }.sorted { $0.key.name < $1.key.name }.map {
            key, entry in
            ScheduleView(
                row: rows[key.name] ?? entry.row, missed: entry.lifecycle.trigger.missed, isActive: entry.isActive,
                next: entry.isActive ? entry.lifecycle.upcoming(after: now, count: count) : [])
        }
    }

    package func setEnabled(
        _ isEnabled: Bool, _ name: String, of pipeline: PipelineRow
    ) async throws -> ScheduleView? {
        await follow()
        let key = Key(pipeline: pipeline.id, name: name)
        guard var entry = entries[key] else { return nil }
        if entry.row.enabled != isEnabled {
            entry.row.enabled = isEnabled
            if isEnabled { entry.row.since = configuration.now() }
            try await store.save(entry.row)
            // Read again with the next look, and now.
            entries[key]?.row = entry.row
            try await take(pipeline)
        }
        return try await schedules(of: pipeline, count: 5).first { $0.row.name == name }
    }
}
