import AnsFlowProtocol
import ControllerCore
import ControllerGateway
import ControllerLogs
import Logging
import Synchronization

/// Agents' output on its way into the log store, and attempts' ends on their way through it into the engine.
///
/// Log bytes never touch the engine: it is asked once for each attempt whose it is.
final class LogIngest: Sendable {
    private struct Entry {
        var agent: AgentID
        var session: SessionID
        var reception = LogReception()
        /// Where this session was last told to go on, so that each of many frames out of turn does not start a resend.
        var toldToResend: UInt64?
    }

    private let entries = Mutex<[AttemptID: Entry]>([:])
    /// Attempts whose bytes were dropped since the disk was full; while there are any, one task waits for room.
    private let starved = Mutex<Set<AttemptID>>([])
    /// Log bytes that agents sent and the store took, each time.
    let taken = Atomic<UInt64>(0)
    private let hasRoom: @Sendable () -> Bool
    private let parts = Mutex<(store: LogStore, engine: Engine, gateway: Gateway)?>(nil)
    private let logger: Logger

    /// Between two looks at a full disk.
    private static let roomPause = Duration.milliseconds(500)

    /// - Parameter hasRoom: Whether the disk of the log store takes some more; must be quick.
    init(hasRoom: @escaping @Sendable () -> Bool, logger: Logger) {
        self.hasRoom = hasRoom
        self.logger = logger
    }

    /// Before the first agent is let in.
    func attach(store: LogStore, engine: Engine, gateway: Gateway) {
        parts.withLock { $0 = (store, engine, gateway) }
    }

    private var attached: (store: LogStore, engine: Engine, gateway: Gateway)? { parts.withLock { $0 } }

    // MARK: Bytes

    func received(_ frame: LogFrame, agent: AgentID, session: SessionID) async {
        guard let attached, await admit(frame.attempt, agent: agent, session: session) else { return }
        switch attached.store.append(frame) {
        case .accepted: taken.add(UInt64(frame.records.count), ordering: .relaxed)
        case .storeFull: dropped(frame.attempt, attached)
        case .ignored: await answerNext(frame.attempt, attached)
        case .rejected(let reason):
            logger.warning("log frame rejected", metadata: ["attempt.id": "\(frame.attempt)", "reason": "\(reason)"])
            await answerNext(frame.attempt, attached)
        }
    }

    func gap(
        _ attempt: AttemptID, offset: UInt64, length: UInt64, reason: String, agent: AgentID,
        session: SessionID
    ) async {
        guard let attached, await admit(attempt, agent: agent, session: session) else { return }
        switch attached.store.gap(attempt, offset: offset, length: length, reason: reason) {
        case .accepted: break
        case .storeFull: dropped(attempt, attached)
        case .ignored: await answerNext(attempt, attached)
        case .rejected(let why):
            logger.warning("gap rejected", metadata: ["attempt.id": "\(attempt)", "reason": "\(why)"])
            await answerNext(attempt, attached)
        }
    }

    /// The store made bytes durable: the only place that a LOG_ACK comes from, but for the answer to a frame out of turn.
    func durable(_ attempt: AttemptID, next: UInt64) {
        let known = entries.withLock { entries -> (AgentID, LogReception.Action)? in
            guard entries[attempt] != nil else { return nil }
            return (entries[attempt]!.agent, entries[attempt]!.reception.durable(next))
        }
        guard let known, let attached else { return }
        attached.gateway.send(.logAck(attempt, next: next), to: known.0)
        act(known.1, on: attempt)
    }

    /// Whether this agent holds the attempt. Asked of the engine once, and again when the agent has connected anew.
    private func admit(_ attempt: AttemptID, agent: AgentID, session: SessionID) async -> Bool {
        let known = entries.withLock { $0[attempt] }
        if let known, known.agent == agent, known.session == session { return true }
        guard let attached, await attached.engine.read({ $0.mayLog(attempt, agent: agent) }) ?? false else {
            return false
        }
        entries.withLock { entries in
            if entries[attempt] == nil { entries[attempt] = Entry(agent: agent, session: session) }
            if entries[attempt]!.session != session { entries[attempt]!.toldToResend = nil }
            entries[attempt]!.session = session
        }
        // Its end may have come between question and entry: then nobody would take the entry out again.
        guard await attached.engine.read({ $0.mayLog(attempt, agent: agent) }) ?? true else {
            entries.withLock { $0[attempt] = nil }
            return false
        }
        return true
    }

    /// Says where to go on. The bytes before are durable first, since the agent takes that for acknowledged.
    private func answerNext(_ attempt: AttemptID, _ attached: (store: LogStore, engine: Engine, gateway: Gateway)) async
    {
        guard let next = attached.store.next(attempt) else { return }
        let agent = entries.withLock { entries -> AgentID? in
            guard let entry = entries[attempt], entry.toldToResend != next else { return nil }
            entries[attempt]?.toldToResend = next
            return entry.agent
        }
        guard let agent, (try? await attached.store.sync(attempt)) != nil else { return }
        attached.gateway.send(.logResend(attempt, from: next), to: agent)
    }

    // MARK: A full disk

    /// The disk took nothing. The agent keeps the bytes and would send them again after a while; it is asked as soon as there is
    /// room.
    private func dropped(_ attempt: AttemptID, _ attached: (store: LogStore, engine: Engine, gateway: Gateway)) {
        let isFirst = starved.withLock { starved in
            defer { starved.insert(attempt) }
            return starved.isEmpty
        }
        guard isFirst else { return }
        logger.warning("the disk takes no log bytes; agents keep them", metadata: ["attempt.id": "\(attempt)"])
        // Awaited by nobody: it ends when there is room, and agents send again by themselves.
        Task { await waitForRoom(attached) }
    }

    /// Asks again for all that was dropped, once the disk takes some.
    private func waitForRoom(_ attached: (store: LogStore, engine: Engine, gateway: Gateway)) async {
        while (try? await Task.sleep(for: Self.roomPause)) != nil {
            guard hasRoom() else { continue }
            let waiting = starved.withLock { starved in
                defer { starved = [] }
                return starved.sorted()
            }
            logger.info("the disk takes log bytes again", metadata: ["attempts": "\(waiting.count)"])
            for attempt in waiting {
                entries.withLock { $0[attempt]?.toldToResend = nil }
                await answerNext(attempt, attached)
            }
            return
        }
    }

    // MARK: Ends

    func finished(_ finish: Finish, agent: AgentID, session: SessionID) async {
        guard let attached else { return }
        guard await admit(finish.attempt, agent: agent, session: session) else {
            // The engine answers what became of it.
            let nothing = LogSummary(state: .incomplete, bytes: 0, lines: 0)
            return await attached.engine.tell { $0.finished(finish, log: nothing, by: agent, session: session) }
        }
        let next = (try? await attached.store.open(finish.attempt)) ?? 0
        let action = entries.withLock { $0[finish.attempt]?.reception.finishCame(finish, next: next) ?? .none }
        act(action, on: finish.attempt)
    }

    private func act(_ action: LogReception.Action, on attempt: AttemptID) {
        switch action {
        case .none: break
        case .verify, .resend, .settle:
            // Awaited by nobody: each ends in a call of the engine or in nothing, and agents repeat FINISH until FORGET.
            Task { await perform(action, on: attempt) }
        }
    }

    private func perform(_ action: LogReception.Action, on attempt: AttemptID) async {
        guard let attached, let entry = entries.withLock({ $0[attempt] }) else { return }
        switch action {
        case .none: break
        case .verify(let finish):
            let verdict = await verify(finish, attached.store)
            let next = entries.withLock { $0[attempt]?.reception.verified(verdict) ?? .none }
            await perform(next, on: attempt)
        case .resend:
            logger.warning(
                "log does not match its hash; asking for all of it again", metadata: ["attempt.id": "\(attempt)"])
            try? await attached.store.reset(attempt)
            attached.gateway.send(.logResend(attempt, from: 0), to: entry.agent)
        case .settle(let finish, let summary):
            let (agent, session) = (entry.agent, entry.session)
            await attached.engine.tell { $0.finished(finish, log: summary, by: agent, session: session) }
        }
    }

    private func verify(_ finish: Finish, _ store: LogStore) async -> LogVerdict {
        do {
            switch try await store.finish(finish.attempt, expected: finish.log) {
            case .complete(let found):
                var summary = Self.summary(found, state: found.holes.isEmpty ? .complete : .incomplete)
                if !found.holes.isEmpty {
                    summary.dropped = finish.log.dropped.map { $0 + found.holes.reduce(0) { $0 + $1.length } }
                }
                return .complete(summary)
            case .waiting(let next): return .waiting(next: next)
            case .mismatch(let found): return .mismatch(Self.summary(found, state: .damaged))
            }
        } catch {
            logger.error("log can't be verified", metadata: ["attempt.id": "\(finish.attempt)", "error": "\(error)"])
            return .failed(LogSummary(state: .damaged, bytes: finish.log.total, lines: 0, dropped: nil))
        }
    }

    private static func summary(_ found: LogFacts, state: LogState) -> LogSummary {
        LogSummary(
            state: state, bytes: found.total, lines: UInt64(found.lines), sha256: found.sha256, dropped: 0)
    }

    // MARK: Closing

    /// The attempt's end is durable: its log takes no more bytes and is closed.
    func seal(_ attempt: AttemptID) {
        entries.withLock { $0[attempt] = nil }
        guard let attached else { return }
        // Awaited by nobody: what is not closed before a crash is closed after the next start.
        Task { await close(attempt, attached.store, retrying: true) }
    }

    private func close(_ attempt: AttemptID, _ store: LogStore, retrying: Bool) async {
        do {
            try await store.seal(attempt, retrying: retrying)
        } catch {
            logger.warning("log was not closed", metadata: ["attempt.id": "\(attempt)", "error": "\(error)"])
        }
    }

    /// Closes what has ended and is still open: after a start, and after a transaction whose outcome was not known.
    func packEnded() async {
        guard let attached else { return }
        let known = entries.withLock { Array($0.keys) }
        for attempt in known where await attached.engine.read({ $0.isLive(attempt) }) == false {
            entries.withLock { $0[attempt] = nil }
        }
        for attempt in (try? await attached.store.attemptsWithSegment()) ?? [] {
            guard await attached.engine.read({ $0.isLive(attempt) }) == false else { continue }
            await close(attempt, attached.store, retrying: false)
        }
    }

    /// The first byte that is not held, for each of the attempts that the agent holds.
    func next(of attempts: [AttemptID], agent: AgentID) async -> [AttemptID: UInt64] {
        guard let attached else { return [:] }
        var next: [AttemptID: UInt64] = [:]
        for attempt in attempts where await attached.engine.read({ $0.mayLog(attempt, agent: agent) }) ?? false {
            // What is said here counts as acknowledged: durable first.
            guard let held = try? await attached.store.open(attempt), (try? await attached.store.sync(attempt)) != nil
            else { continue }
            next[attempt] = held
        }
        return next
    }
}
