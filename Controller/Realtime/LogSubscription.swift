import AnsFlowProtocol
import ControllerCore
import NIOCore

/// New lines of one attempt as they go to viewers, encoded once for all of them.
final class LogMessage: Sendable {
    let attempt: AttemptID
    let firstLine: UInt64
    let nextLine: UInt64
    /// For viewers of the run, and for those of its pipeline, whose `seq` differs.
    let forRun: LiveMessage
    let forPipeline: LiveMessage?

    var bytes: Int { forRun.frame.readableBytes }

    init(
        attempt: AttemptID, firstLine: UInt64, nextLine: UInt64, forRun: LiveMessage, forPipeline: LiveMessage?
    ) {
        self.attempt = attempt
        self.firstLine = firstLine
        self.nextLine = nextLine
        self.forRun = forRun
        self.forPipeline = forPipeline
    }
}

/// One attempt's log for one viewer. Confined like ``Subscription``.
///
/// Lines are pushed while the viewer keeps up. One that does not is served from the store, as fast as it takes them, so that what is
/// under way to it stays small; one that was live and stays behind is told what it misses and goes on near the end.
final class LogSubscription: Placed, @unchecked Sendable {
    private enum Phase {
        case catchingUp([LogMessage], bytes: Int)
        case live
        case ended
    }

    /// How long a viewer that was live may be behind before lines are left out, in nanoseconds.
    private static let behindMax: Int64 = 2_000_000_000

    let viewer: Viewer
    let source: LogSource
    private let topic: Topic
    private var phase = Phase.catchingUp([], bytes: 0)
    /// Where it stands among its attempt's subscriptions on this loop.
    var place = 0
    private let isOfRun: Bool
    /// The line that the viewer gets next.
    private var next: UInt64
    /// The first line that was left out since the last `lagged`.
    private var droppedFrom: UInt64?
    /// Since when one that was live is not; nil before it was, and while it is.
    private var behindSince: Int64?
    private var isFollowing = false
    private var task: Task<Void, Never>?

    init(_ viewer: Viewer, _ source: LogSource, topic: Topic, next: UInt64) {
        self.viewer = viewer
        self.source = source
        self.topic = topic
        self.next = next
        isOfRun = if case .run = topic { true } else { false }
    }

    func begin() {
        viewer.hub.loopHub(viewer.eventLoop).add(self)
        // Ends by itself; ``end()`` cancels it.
        task = Task { await self.start() }
    }

    func end() {
        if case .ended = phase { return }
        phase = .ended
        task?.cancel()
        viewer.hub.loopHub(viewer.eventLoop).remove(self)
        if isFollowing { viewer.hub.unfollow(source.attempt) }
        viewer.wake()
    }

    /// Asked on the event loop.
    private var isOver: Bool { if case .ended = phase { true } else { false } }

    /// - Parameter flushes: Whether a live viewer gets it at once.
    func deliver(_ message: LogMessage, flushes: Bool = false) {
        switch phase {
        case .ended: break
        case .catchingUp(var kept, let bytes):
            // Beyond the bound the oldest go: catching up reads them from the store.
            phase = .catchingUp([], bytes: 0)
            kept.append(message)
            var total = bytes + message.bytes
            while total > RealtimeLimits.viewerBytesMax, kept.count > 1 { total -= kept.removeFirst().bytes }
            phase = .catchingUp(kept, bytes: total)
        case .live: send(message, flushes: flushes)
        }
    }

    private func send(_ message: LogMessage, flushes: Bool = false) {
        let onlyPartial = message.nextLine == message.firstLine
        guard message.nextLine > next || (onlyPartial && message.firstLine >= next) else { return }
        // Where the viewer's start lies within this batch, the store has just its lines.
        guard message.firstLine >= next, viewer.takesLines else { return fallBehind(with: message) }
        let live = isOfRun ? message.forRun : message.forPipeline ?? message.forRun
        if viewer.deliver(live, flushes: flushes) { next = message.nextLine }
    }

    private func fallBehind(with message: LogMessage) {
        behindSince = viewer.clock
        phase = .catchingUp([message], bytes: message.bytes)
        task = Task { await self.catchUp() }
    }

    private func start() async {
        // Followed first and read then, so that no line falls between.
        await viewer.hub.follow(source)
        let goesOn = await viewer.run { _ -> Bool in
            if case .ended = self.phase { return false }
            self.isFollowing = true
            return true
        }
        if goesOn { await catchUp() } else { viewer.hub.unfollow(source.attempt) }
    }

    // MARK: Catching up

    private func catchUp() async {
        while let from = await nextLine() {
            let page: LogPage
            do {
                page = try await viewer.hub.logs.lines(source.attempt, from: from, count: RealtimeLimits.linesPerRead)
            } catch {
                // What can't be read is left out, and said to be.
                if await viewer.run({ _ in
                    self.skip()
                    return self.goLive()
                }) {
                    return
                }
                continue
            }
            await send(page.lines)
            let isThere = page.lines.count < RealtimeLimits.linesPerRead
            if isThere, await viewer.run({ _ in self.goLive() }) { return }
        }
    }

    /// Sends lines of the store in pieces, each when the viewer takes more.
    private func send(_ lines: [LogLine]) async {
        var rest = lines[...]
        while let first = rest.first {
            await viewer.wait { $0.takesLines || self.isOver }
            let piece = Self.beginning(of: rest)
            rest = rest.dropFirst(piece.count)
            let message = LiveEncoder.log(
                source, for: topic, seq: viewer.hub.seq(of: source.run, on: topic), at: viewer.hub.now(),
                firstLine: first.number, lines: LiveEncoder.lines(piece))
            await viewer.force([message.frame], unless: { self.isOver })
            let whole = piece.last?.partial == true ? piece.count - 1 : piece.count
            await viewer.run { _ in self.next = first.number + UInt64(whole) }
        }
    }

    /// Where to read on, once the viewer takes lines; nil where nobody wants them. One that has been far behind for too long goes on
    /// near the end.
    private func nextLine() async -> UInt64? {
        await viewer.wait { $0.takesLines || self.isOver }
        let isLate = await viewer.run { viewer in
            self.behindSince.map { viewer.clock - $0 > Self.behindMax } ?? false
        }
        let end = isLate ? try? await viewer.hub.logs.info(source.attempt).lines : nil
        return await viewer.run { viewer in
            if self.isOver || viewer.isClosed { return nil }
            if let end {
                // As many lines of the usual length as go out at once.
                let tail = end - min(end, UInt64(viewer.pace.window / RealtimeLimits.lineBytesUsual)) + 1
                self.behindSince = viewer.clock
                if tail > self.next, end - self.next > RealtimeLimits.linesBehindMax { self.leaveOut(until: tail) }
            }
            return self.next
        }
    }

    private func leaveOut(until line: UInt64) {
        droppedFrom = droppedFrom ?? next
        next = line
        viewer.sayLinesWereLeftOut()
    }

    /// Goes on with what was kept, whatever is missing before it.
    private func skip() {
        guard case .catchingUp(let kept, _) = phase, let line = kept.first?.firstLine, line > next else { return }
        leaveOut(until: line)
    }

    /// The first of some lines, as many as fit into a message and one at least.
    private static func beginning(of lines: ArraySlice<LogLine>) -> [LogLine] {
        var bytes = 0
        for index in lines.indices {
            bytes += lines[index].text.utf8.count + 48
            if bytes > RealtimeLimits.pieceBytesMax { return Array(lines[..<max(index, lines.startIndex + 1)]) }
        }
        return Array(lines)
    }

    /// Sends what was kept where it joins what was read.
    private func goLive() -> Bool {
        guard case .catchingUp(let kept, _) = phase else { return true }
        if viewer.isClosed { return true }
        let rest = kept.filter { $0.nextLine > next || ($0.nextLine == $0.firstLine && $0.firstLine > next) }
        if let first = rest.first, first.firstLine != next {
            phase = .catchingUp(rest, bytes: rest.reduce(0) { $0 + $1.bytes })
            return false
        }
        phase = .live
        behindSince = nil
        // Where the viewer does not take all of them, the rest is kept again.
        for message in rest { deliver(message) }
        viewer.sink.flush()
        return true
    }

    // MARK: Lagging

    var hasDropped: Bool { droppedFrom != nil }

    /// Writes what was left out, and forgets it: the viewer goes on with what comes next.
    func writeDropped(_ json: inout JSONWriter) {
        guard let from = droppedFrom else { return }
        droppedFrom = nil
        json.object { json in
            json.field("log", source.key)
            json.field("from_line", from)
            json.field("next_line", next)
            let path = source.step.split(separator: "/").joined(separator: "/")
            json.field(
                "fetch",
                "/api/v1/pipeline-runs/\(source.run)/steps/\(path)/log?attempt=\(source.number)&from_line=\(from)")
        }
    }
}
