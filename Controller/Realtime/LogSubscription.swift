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
final class LogSubscription: Placed, @unchecked Sendable {
    private enum Phase {
        case catchingUp([LogMessage], bytes: Int)
        case live
        case ended
    }

    let viewer: Viewer
    let source: LogSource
    private let topic: Topic
    private var phase = Phase.catchingUp([], bytes: 0)
    /// Where it stands among its attempt's subscriptions on this loop.
    var place = 0
    private let isOfRun: Bool
    /// The line that the viewer gets next.
    private var next: UInt64
    private(set) var hasDropped = false
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
    }

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
        if message.firstLine < next {
            // The viewer's start lies within this batch: the store has just its lines.
            phase = .catchingUp([message], bytes: message.bytes)
            task = Task { await self.catchUp() }
            return
        }
        let live = isOfRun ? message.forRun : message.forPipeline ?? message.forRun
        if viewer.deliver(live, flushes: flushes) { next = message.nextLine } else { hasDropped = true }
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

    private func catchUp() async {
        while !Task.isCancelled {
            let from = await viewer.run { _ in self.next }
            let page = try? await viewer.hub.logs.lines(
                source.attempt, from: from, count: RealtimeLimits.linesPerRead)
            let lines = page?.lines ?? []
            let whole = lines.last?.partial == true ? lines.count - 1 : lines.count
            if !lines.isEmpty {
                let message = LiveEncoder.log(
                    source, for: topic, seq: viewer.hub.seq(of: source.run, on: topic), at: viewer.hub.now(),
                    firstLine: from,
                    lines: LiveEncoder.lines(lines))
                await viewer.force([message.frame])
            }
            let isThere = lines.count < RealtimeLimits.linesPerRead
            let isLive = await viewer.run { _ in
                self.next = from + UInt64(whole)
                return isThere && self.goLive()
            }
            if isLive { return }
        }
    }

    /// Sends what was kept where it joins what was read.
    private func goLive() -> Bool {
        guard case .catchingUp(let kept, _) = phase else { return true }
        let rest = kept.filter { $0.nextLine > next || ($0.nextLine == $0.firstLine && $0.firstLine > next) }
        if let first = rest.first, first.firstLine != next {
            phase = .catchingUp(rest, bytes: rest.reduce(0) { $0 + $1.bytes })
            return false
        }
        phase = .live
        for message in rest { send(message) }
        viewer.sink.flush()
        return true
    }

    /// Writes what was left out, and forgets it: the viewer goes on with what comes next.
    func writeDropped(_ json: inout JSONWriter) {
        hasDropped = false
        json.object { json in
            json.field("log", source.key)
            json.field("from_line", next)
            let parts = source.step.split(separator: "/").map(String.init)
            let path = parts.joined(separator: "/")
            json.field(
                "fetch",
                "/api/v1/pipeline-runs/\(source.run)/steps/\(path)/log?attempt=\(source.number)&from_line=\(next)")
        }
    }
}
