import AnsFlowProtocol
import ControllerCore
import NIOCore

/// One topic of one viewer. Confined to the viewer's event loop, but for the task that catches up, which reads on any thread
/// and changes state through ``Viewer/run(_:)``.
final class Subscription: @unchecked Sendable {
    private enum Phase {
        /// Live messages are kept until the past has been sent. After an overflow the past is read again.
        case catchingUp([LiveMessage], bytes: Int, overflowed: Bool)
        case live
        case ended
    }

    let viewer: Viewer
    let request: Subscribe
    /// Whose events are sent. Nothing is before it is known.
    var visible = Visibility.only([])
    private var phase = Phase.catchingUp([], bytes: 0, overflowed: false)
    /// Number of the last event that was sent.
    private(set) var cursor: Int64 = 0
    /// Number of the last one that was left out since the last `lagged`.
    private var droppedUntil: Int64?
    private var logs: [AttemptID: LogSubscription] = [:]
    /// The newest attempt when the subscription began: later ones are followed from their first line. Nil until it is known.
    private var newestAtStart: AttemptID?
    private var early: [LogSource] = []
    /// What is no event and came while the past was being sent.
    private var asides: [LiveMessage] = []
    private static let asidesMax = 16
    private var task: Task<Void, Never>?

    init(_ viewer: Viewer, _ request: Subscribe) {
        self.viewer = viewer
        self.request = request
    }

    /// Registers, then starts to catch up.
    func begin() {
        viewer.hub.loopHub(viewer.eventLoop).add(self)
        viewer.hub.interest(request.topic, +1, logs: request.wantsLogs)
        // Ends by itself; ``end()`` cancels it, and the viewer's socket calls that.
        task = Task { await self.catchUp() }
    }

    func end() {
        if case .ended = phase { return }
        phase = .ended
        task?.cancel()
        viewer.hub.loopHub(viewer.eventLoop).remove(self)
        viewer.hub.interest(request.topic, -1, logs: request.wantsLogs)
        for log in logs.values { log.end() }
        logs = [:]
        viewer.wake()
    }

    /// Asked on the event loop.
    private var isOver: Bool { if case .ended = phase { true } else { false } }

    /// A message of the topic, in order.
    func deliver(_ message: LiveMessage) {
        switch phase {
        case .ended: break
        case .catchingUp(var kept, let bytes, let overflowed):
            if overflowed { return }
            let total = bytes + message.frame.readableBytes
            phase = .catchingUp([], bytes: 0, overflowed: true)
            guard total <= RealtimeLimits.viewerBytesMax else { return }
            kept.append(message)
            phase = .catchingUp(kept, bytes: total, overflowed: false)
        case .live: send(message)
        }
    }

    /// A message that is no event: now, or when the past has been sent. False where the viewer does not get it now.
    func deliverAside(_ message: LiveMessage) -> Bool {
        switch phase {
        case .ended: return false
        case .catchingUp:
            if asides.count < Self.asidesMax { asides.append(message) }
            return false
        case .live: return viewer.deliver(message)
        }
    }

    /// An attempt of a run that is watched. A new one's log is followed from its first line.
    func add(_ source: LogSource) {
        guard request.wantsLogs, logs[source.attempt] == nil else { return }
        if request.isOnlyThose, request.logs[source.key] == nil { return }
        guard let newestAtStart else {
            if !early.contains(source) { early.append(source) }
            return
        }
        if source.attempt > newestAtStart { follow(source, from: request.logs[source.key] ?? 1) }
    }

    private func send(_ message: LiveMessage) {
        guard message.cursor > cursor else { return }
        if let project = message.project, !visible.includes(project) {
            cursor = message.cursor
            return
        }
        if viewer.deliver(message) { cursor = message.cursor } else { droppedUntil = message.cursor }
    }

    // MARK: Catching up

    private func catchUp() async {
        do {
            guard let visible = try await viewer.access.visibility(of: request.topic) else {
                throw Viewer.Refusal.unknownTopic
            }
            await viewer.run { _ in self.visible = visible }
            let resumed = try await resumes()
            if !resumed { try await sendSnapshot(visible) }
            var isBehind = resumed
            while !Task.isCancelled {
                if isBehind { try await sendPast() }
                if await viewer.run({ _ in self.goLive() }) { break }
                isBehind = true
            }
            if resumed, request.wantsLogs { try await followLogs(visible) }
        } catch is CancellationError {
            return
        } catch let refusal as Viewer.Refusal {
            viewer.refuse(request.topic, refusal)
        } catch {
            viewer.refuse(request.topic, .unavailable)
        }
    }

    /// Whether the viewer's cursor is good to go on from.
    private func resumes() async throws -> Bool {
        guard let after = request.after, after >= 0 else { return false }
        let reading = viewer.hub.reading
        if let generation = request.generation, try await reading.generation() != generation { return false }
        let last = try await reading.lastNumber(request.topic)
        guard after <= last, last - after <= RealtimeLimits.eventsBehindMax else { return false }
        viewer.hub.note(seq: last, of: request.topic)
        await viewer.run { _ in self.cursor = after }
        return true
    }

    private func sendSnapshot(_ visible: Visibility) async throws {
        guard let snapshot = try await viewer.hub.reading.snapshot(request.topic, visible: visible) else {
            throw Viewer.Refusal.unknownTopic
        }
        let starts = request.wantsLogs ? try await firstLines(snapshot.sources) : []
        let topic = request.topic
        viewer.hub.note(seq: snapshot.seq, of: topic)
        let message = LiveEncoder.message(
            "snapshot", topic: topic, seq: snapshot.seq, at: viewer.hub.now(), capacity: snapshot.members.count + 256
        ) { json in
            json.object { json in
                json.field("topic", topic.description)
                json.field("generation", snapshot.generation)
                json.name("logs")
                json.object { json in
                    for start in starts {
                        json.key(start.source.key)
                        json.int(start.from)
                    }
                }
                if !snapshot.members.isEmpty { json.raw(snapshot.members) }
            }
        }
        await viewer.run { _ in
            self.cursor = snapshot.seq
            self.begin(starts, snapshot.sources)
        }
        await viewer.force([message.frame], unless: { self.isOver })
    }

    /// Sends what the database has behind the cursor.
    private func sendPast() async throws {
        while !Task.isCancelled {
            let after = await viewer.run { _ in self.cursor }
            let rows = try await viewer.hub.reading.events(
                request.topic, after: after, limit: RealtimeLimits.eventsPerRead)
            let topic = request.topic
            let visible = await viewer.run { _ in self.visible }
            let seen = rows.filter { visible.includes($0.project) }
            await viewer.force(seen.map { LiveEncoder.event($0, for: topic).frame }, unless: { self.isOver })
            if let last = rows.last {
                let number = LiveEncoder.number(last, for: topic)
                await viewer.run { _ in self.cursor = number }
            }
            if rows.count < RealtimeLimits.eventsPerRead { return }
        }
    }

    /// Sends what was kept and goes live.
    ///
    /// - Returns: False where not all was kept: the past must be read again.
    private func goLive() -> Bool {
        switch phase {
        case .ended, .live: return true
        case .catchingUp(_, _, overflowed: true):
            phase = .catchingUp([], bytes: 0, overflowed: false)
            return false
        case .catchingUp(let kept, _, overflowed: false):
            phase = .live
            for message in kept { send(message) }
            for message in asides { _ = viewer.deliver(message) }
            asides = []
            viewer.sink.flush()
            return true
        }
    }

    // MARK: Logs

    private func followLogs(_ visible: Visibility) async throws {
        let sources = try await viewer.hub.reading.sources(of: request.topic, visible: visible)
        let starts = try await firstLines(sources)
        await viewer.run { _ in self.begin(starts, sources) }
    }

    private func begin(_ starts: [(source: LogSource, from: UInt64)], _ all: [LogSource]) {
        for start in starts where logs[start.source.attempt] == nil { follow(start.source, from: start.from) }
        newestAtStart = all.map(\.attempt).max() ?? AttemptID(0)
        for source in early { add(source) }
        early = []
    }

    /// Where each log starts: where the viewer says, else behind what is there now. A finished one is sent only when asked for.
    private func firstLines(_ sources: [LogSource]) async throws -> [(source: LogSource, from: UInt64)] {
        var starts: [(source: LogSource, from: UInt64)] = []
        for source in sources {
            if let from = request.logs[source.key] {
                starts.append((source, max(1, from)))
            } else if !source.finished, !request.isOnlyThose {
                let lines = (try? await viewer.hub.logs.info(source.attempt).lines) ?? 0
                starts.append((source, lines + 1))
            }
        }
        return starts
    }

    private func follow(_ source: LogSource, from line: UInt64) {
        if case .ended = phase { return }
        let log = LogSubscription(viewer, source, topic: request.topic, next: line)
        logs[source.attempt] = log
        log.begin()
    }

    // MARK: Lagging

    var hasDropped: Bool { droppedUntil != nil }
    var droppedLogs: [LogSubscription] {
        logs.values.filter(\.hasDropped).sorted { $0.source.attempt < $1.source.attempt }
    }

    /// Writes what was left out, and forgets it.
    func writeDropped(_ json: inout JSONWriter) {
        let until = droppedUntil
        droppedUntil = nil
        json.object { json in
            json.field("topic", request.topic.description)
            json.field("after", cursor)
            json.field("until", until)
            if case .run(let id) = request.topic {
                json.field("fetch", "/api/v1/pipeline-runs/\(id)/events?after=\(cursor)")
            } else {
                json.field("fetch", "/api/v1/pipeline-runs")
            }
        }
    }
}

extension LiveEncoder {
    static func number(_ row: EventRow, for topic: Topic) -> Int64 {
        if case .run = topic { return row.seq }
        return row.id
    }
}
