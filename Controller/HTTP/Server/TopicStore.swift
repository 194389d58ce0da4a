import AnsFlowProtocol
package import ControllerCore
package import ControllerRealtime
import NIOCore

/// What live topics read from the database, in the interface's own JSON.
package struct TopicStore: TopicReading {
    private let queries: any RunQueries
    private let pipelines: any PipelineRepository
    private let waiting: @Sendable (RunID) async -> [WaitingReason]

    /// - Parameter waiting: why parts of a run wait, as ``EngineCommands/waitingReasons(_:)`` says it.
    package init(
        queries: any RunQueries, pipelines: any PipelineRepository,
        waiting: @escaping @Sendable (RunID) async -> [WaitingReason] = { _ in [] }
    ) {
        self.queries = queries
        self.pipelines = pipelines
        self.waiting = waiting
    }

    /// Runs shown in a snapshot of many.
    private static let runsMax = 50

    package func snapshot(_ topic: Topic, visible: Visibility) async throws -> TopicSnapshot? {
        let generation = try await queries.generation()
        if case .run(let id) = topic {
            guard let detail = try await queries.runDetail(id) else { return nil }
            let reasons = detail.run.phase == .finished ? [] : await waiting(id)
            var json = JSONWriter(capacity: 4096)
            json.name("run")
            RunJSON.detail(detail, waiting: reasons, &json)
            return TopicSnapshot(
                seq: detail.run.seq, generation: generation, members: json.bytes, sources: Self.sources(of: detail))
        }
        // The number first: what is committed while the runs are read comes again as an event.
        let last = try await queries.lastEventID()
        guard let runs = try await runs(of: topic, visible) else { return nil }
        var json = JSONWriter(capacity: 512 + runs.count * 640)
        json.name("runs")
        json.array(runs) { RunJSON.run($1, &$0) }
        return TopicSnapshot(
            seq: last, generation: generation, members: json.bytes, sources: try await sources(ofActive: runs))
    }

    package func generation() async throws -> Int64 { try await queries.generation() }

    package func lastNumber(_ topic: Topic) async throws -> Int64 {
        guard case .run(let id) = topic else { return try await queries.lastEventID() }
        // An unknown run has no number to go on from: it gets a snapshot, and that says that it is unknown.
        return try await queries.run(id)?.seq ?? -1
    }

    package func events(_ topic: Topic, after: Int64, limit: Int) async throws -> [EventRow] {
        switch topic {
        case .run(let id): return try await queries.events(of: id, after: after, limit: limit)
        case .pipeline(let id): return try await queries.events(after: after, pipeline: id, limit: limit)
        case .system, .project:
            // Not all are shown here, but a page without one that is must not look like the end.
            var cursor = after
            while true {
                let rows = try await queries.events(after: cursor, pipeline: nil, limit: limit)
                let shown = rows.filter { row in
                    if case .project(let id) = topic { return row.project == id }
                    return row.kind == .execution
                }
                guard shown.isEmpty, rows.count == limit, let last = rows.last else { return shown }
                cursor = last.id
            }
        }
    }

    package func sources(of topic: Topic, visible: Visibility) async throws -> [LogSource] {
        if case .run(let id) = topic { return try await queries.runDetail(id).map(Self.sources) ?? [] }
        return try await sources(ofActive: try await runs(of: topic, visible) ?? [])
    }

    private func runs(of topic: Topic, _ visible: Visibility) async throws -> [RunRow]? {
        var filter = RunFilter()
        filter.visible = visible
        if case .pipeline(let id) = topic {
            guard try await pipelines.pipeline(id) != nil else { return nil }
            filter.pipeline = id
        }
        if case .project(let id) = topic { filter.project = id }
        return try await queries.runs(filter, page: 1, perPage: Self.runsMax).items
    }

    private func sources(ofActive runs: [RunRow]) async throws -> [LogSource] {
        var sources: [LogSource] = []
        for run in runs where run.phase != .finished {
            if let detail = try await queries.runDetail(run.id) { sources += Self.sources(of: detail) }
        }
        return sources
    }

    private static func sources(of detail: RunDetail) -> [LogSource] {
        let jobs = Dictionary(detail.jobs.map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
        let steps = Dictionary(detail.steps.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        return detail.attempts.compactMap { attempt in
            guard let step = steps[attempt.step], let job = jobs[step.job] else { return nil }
            return LogSource(
                run: detail.run.id, pipeline: detail.run.pipeline, attempt: attempt.id, step: "\(job)/\(step.name)",
                number: attempt.number, finished: attempt.phase == .finished)
        }
    }
}
