import AnsFlowProtocol
package import ControllerCore
package import Logging
import NIOCore
import Synchronization

/// Hands committed events and appended log lines to everybody who watches. Any thread may call it.
///
/// The engine's effect after each commit calls ``publish(_:)`` with that commit's events, in the order of commits. Nothing here
/// waits for a viewer.
package final class EventHub: Sendable {
    /// Numbers for `/metrics`.
    package struct Statistics: Equatable, Sendable {
        package var viewers = 0
        package var published = 0
        package var logBatches = 0
        package var lagged = 0
    }

    private struct Interest {
        var viewers = 0
        var logViewers = 0
    }

    private struct Feed {
        var users = 0
        /// Done when the log store calls back with everything that is appended from then on.
        var starting: Task<(any LogFollowing)?, Never>
    }

    private struct State {
        var loops: [ObjectIdentifier: LoopHub] = [:]
        var interest: [Topic: Interest] = [:]
        var feeds: [AttemptID: Feed] = [:]
        /// Numbers of the last events, of runs whose logs are watched.
        var runSeq: [RunID: Int64] = [:]
        var lastID: Int64 = 0
        /// Runs whose attempts are being read, and whether they changed since the reading began.
        var refreshing: [RunID: Bool] = [:]
        var statistics = Statistics()
    }

    let reading: any TopicReading
    let logs: any LogReading
    let now: @Sendable () -> Int64
    private let logger: Logger
    private let state = Mutex(State())

    /// - Parameter now: Wall clock, ms since 1970, for messages that have no time of their own.
    package init(
        reading: any TopicReading, logs: any LogReading, now: @escaping @Sendable () -> Int64,
        logger: Logger = Logger(label: "ansflow.realtime")
    ) {
        self.reading = reading
        self.logs = logs
        self.now = now
        self.logger = logger
    }

    package var statistics: Statistics { state.withLock { $0.statistics } }

    /// Sends events to their viewers. Encodes nothing that nobody watches.
    package func publish(_ events: [EventRow]) {
        guard !events.isEmpty else { return }
        let refresh = state.withLock { state -> [(RunID, PipelineID)] in
            state.statistics.published += events.count
            state.lastID = max(state.lastID, events.last?.id ?? 0)
            var deliveries: [LoopHub.Delivery] = []
            var refresh: [(RunID, PipelineID)] = []
            for event in events {
                let run = Topic.run(event.run)
                let pipeline = Topic.pipeline(event.pipeline)
                let ofRun = state.interest[run]
                let ofPipeline = state.interest[pipeline]
                let project = Topic.project(event.project)
                var topics: [Topic] = []
                if ofRun != nil { topics.append(run) }
                if ofPipeline != nil { topics.append(pipeline) }
                if state.interest[project] != nil { topics.append(project) }
                if event.kind == .execution, state.interest[.system] != nil { topics.append(.system) }
                for topic in topics {
                    deliveries.append(.event(topic, LiveEncoder.event(event, for: topic)))
                }
                guard (ofRun?.logViewers ?? 0) + (ofPipeline?.logViewers ?? 0) > 0 else { continue }
                state.runSeq[event.run] = max(event.seq, state.runSeq[event.run] ?? 0)
                if event.kind == .step { refresh.append((event.run, event.pipeline)) }
            }
            if !deliveries.isEmpty { for loop in state.loops.values { loop.push(deliveries) } }
            return refresh.filter { pair in
                if state.refreshing[pair.0] != nil {
                    state.refreshing[pair.0] = true
                    return false
                }
                state.refreshing[pair.0] = false
                return true
            }
        }
        for (run, pipeline) in refresh {
            // Bounded by the number of runs that are watched; ends when the run's attempts are known.
            Task { await self.refreshSources(run, pipeline) }
        }
    }

    /// Sends what is no event to those who watch a topic now. It has no number of its own and repeats the last one, as log lines do;
    /// who comes later does not get it.
    ///
    /// - Parameter data: Writes one JSON value.
    package func announce(_ type: String, on topic: Topic, data: (inout JSONWriter) -> Void) {
        let at = now()
        state.withLock { state in
            guard state.interest[topic] != nil else { return }
            let message = LiveEncoder.message(type, seq: state.lastID, at: at, data: data)
            for loop in state.loops.values { loop.push([.aside(topic, message)]) }
        }
    }

    /// Whether anybody watches a topic now.
    package func isWatched(_ topic: Topic) -> Bool { state.withLock { $0.interest[topic] != nil } }

    /// Finds attempts that began, and tells the viewers of their run.
    private func refreshSources(_ run: RunID, _ pipeline: PipelineID) async {
        while true {
            state.withLock { $0.refreshing[run] = false }
            do {
                let sources = try await reading.sources(of: .run(run), visible: .all)
                state.withLock { state in
                    for loop in state.loops.values { loop.push([.sources([.run(run), .pipeline(pipeline)], sources)]) }
                }
            } catch {
                logger.warning("attempts could not be read for viewers", metadata: ["error": "\(error)"])
            }
            let isDone = state.withLock { state in
                if state.refreshing[run] == true { return false }
                state.refreshing[run] = nil
                return true
            }
            if isDone { return }
        }
    }

    // MARK: Viewers

    func viewerCame() { state.withLock { $0.statistics.viewers += 1 } }
    func viewerLeft() { state.withLock { $0.statistics.viewers -= 1 } }
    func countLagged() { state.withLock { $0.statistics.lagged += 1 } }

    func loopHub(_ loop: any EventLoop) -> LoopHub {
        state.withLock { state in
            if let known = state.loops[ObjectIdentifier(loop)] { return known }
            let made = LoopHub(loop)
            state.loops[ObjectIdentifier(loop)] = made
            return made
        }
    }

    func interest(_ topic: Topic, _ change: Int, logs: Bool) {
        state.withLock { state in
            var interest = state.interest[topic] ?? Interest()
            interest.viewers += change
            if logs { interest.logViewers += change }
            state.interest[topic] = interest.viewers > 0 ? interest : nil
            if case .run(let run) = topic, interest.viewers == 0 { state.runSeq[run] = nil }
        }
    }

    // MARK: Logs

    /// The number that a `log_update` on `topic` repeats.
    func seq(of run: RunID, on topic: Topic) -> Int64 {
        state.withLock { state in
            if case .run = topic { return state.runSeq[run] ?? 0 }
            return state.lastID
        }
    }

    /// Notes a number that a snapshot had.
    func note(seq: Int64, of topic: Topic) {
        state.withLock { state in
            if case .run(let run) = topic {
                state.runSeq[run] = max(seq, state.runSeq[run] ?? 0)
            } else {
                state.lastID = max(seq, state.lastID)
            }
        }
    }

    /// Adds a user to an attempt's feed, and makes the feed where it is the first. On return every line that is appended from
    /// then on is delivered.
    func follow(_ source: LogSource) async {
        let starting = state.withLock { state in
            if state.feeds[source.attempt] == nil {
                // Short: it registers a callback. Awaited here by every user, and by ``unfollow(_:)``.
                let starting = Task { [weak self, logs] () -> (any LogFollowing)? in
                    try? await logs.follow(source.attempt) { [weak self] in self?.appended($0, source) }
                }
                state.feeds[source.attempt] = Feed(starting: starting)
            }
            state.feeds[source.attempt]?.users += 1
            return state.feeds[source.attempt]?.starting
        }
        _ = await starting?.value
    }

    func unfollow(_ attempt: AttemptID) {
        let unused = state.withLock { state -> Task<(any LogFollowing)?, Never>? in
            guard var feed = state.feeds[attempt] else { return nil }
            feed.users -= 1
            state.feeds[attempt] = feed.users > 0 ? feed : nil
            return feed.users > 0 ? nil : feed.starting
        }
        // Ends as soon as the feed's own start has ended.
        if let unused { Task { await unused.value?.cancel() } }
    }

    /// The numbers that a `log_update` carries.
    private struct LogNumbers: Equatable {
        var ofRun: Int64
        /// Nil where nobody watches the pipeline's logs.
        var ofPipeline: Int64?

        init(_ source: LogSource, _ state: State) {
            ofRun = state.runSeq[source.run] ?? 0
            let watched = (state.interest[.pipeline(source.pipeline)]?.logViewers ?? 0) > 0
            ofPipeline = watched ? state.lastID : nil
        }
    }

    /// On the thread that appends: encodes once, holding nobody up, and leaves the rest to the viewers' loops.
    private func appended(_ batch: LogBatch, _ source: LogSource) {
        let at = now()
        let numbers = state.withLock { LogNumbers(source, $0) }
        var message = Self.message(batch, source, numbers, at)
        state.withLock { state in
            state.statistics.logBatches += 1
            // An event came meanwhile: numbers never go back for a viewer.
            let newer = LogNumbers(source, state)
            if newer != numbers { message = Self.message(batch, source, newer, at) }
            for loop in state.loops.values { loop.push([.log(message)]) }
        }
    }

    private static func message(
        _ batch: LogBatch, _ source: LogSource, _ numbers: LogNumbers, _ at: Int64
    ) -> LogMessage {
        func live(_ topic: Topic, _ seq: Int64) -> LiveMessage {
            LiveEncoder.log(source, for: topic, seq: seq, at: at, firstLine: batch.firstLine, lines: batch.json)
        }
        return LogMessage(
            attempt: batch.attempt, firstLine: batch.firstLine, nextLine: batch.nextLine,
            forRun: live(.run(source.run), numbers.ofRun),
            forPipeline: numbers.ofPipeline.map { live(.pipeline(source.pipeline), $0) })
    }
}
