import AnsFlowProtocol
import AnsFlowRecords
import ControllerCore
import ControllerIdentity
import ControllerLogs
import Logging
import ServiceLifecycle
import Synchronization

/// Stands for the systems that execute runs themselves. To the engine it is an agent on a connection that never breaks: what such a system
/// reports becomes what an agent would say, so that these runs live by the same rules as all others.
final class ReportedLink: ReportedRuns, Service {
    /// In the place of an agent's key; a fingerprint has another form.
    static let key = "reported"
    static let name = "other-systems"
    /// Above all numbers of connections.
    static let session = SessionID(.max)
    /// Messages of the engine that wait; each attempt has few, and there are no more attempts than slots.
    private static let waitingMax = 16 * ProtocolLimits.slotsMax
    private static let recordBytesMax = 32 * 1024

    private let repository: any AgentRepository
    private let engine: Engine
    private let store: LogStore
    private let ingest: LogIngest
    private let fingerprint: String
    private let logger: Logger
    private let agent = Mutex<AgentID?>(nil)
    /// One change of a log at a time.
    private let order = AsyncLock()
    private let messages: AsyncStream<ControllerMessage>
    private let sender: AsyncStream<ControllerMessage>.Continuation

    init(
        repository: any AgentRepository, engine: Engine, store: LogStore, ingest: LogIngest, fingerprint: String,
        logger: Logger
    ) {
        self.repository = repository
        self.engine = engine
        self.store = store
        self.ingest = ingest
        self.fingerprint = fingerprint
        self.logger = logger
        (messages, sender) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.waitingMax))
    }

    /// Serves the engine until shutdown. Where no such run was ever made there is nothing to serve.
    func run() async throws {
        await withGracefulShutdownHandler {
            do {
                if let row = try await repository.agent(key: Self.key) { try await connect(row) }
            } catch {
                logger.error("runs of other systems can't be taken up", metadata: ["error": "\(error)"])
            }
            for await message in messages { await take(message) }
        } onGracefulShutdown: {
            self.sender.finish()
        }
    }

    // MARK: The engine's side

    /// Whether an effect for this agent is for here. Quick: it is asked for each effect.
    func stands(for agent: AgentID) -> Bool { self.agent.withLock { $0 == agent } }

    func send(_ message: ControllerMessage) { sender.yield(message) }

    /// The engine has loaded anew and knows of no connection.
    func reconnect() async {
        guard let row = try? await repository.agent(key: Self.key), stands(for: row.id) else { return }
        do {
            try await connect(row)
        } catch {
            logger.error("runs of other systems can't be taken up", metadata: ["error": "\(error)"])
        }
    }

    private func connect(_ row: AgentRow) async throws {
        if await engine.read({ $0.view(of: row.id) == nil }) ?? false { try await engine.submit { $0.learn(row) } }
        let held = await engine.read { $0.live(of: row.id) } ?? []
        let next = await ingest.next(of: held, agent: row.id)
        // Whatever was assigned has begun: the other system runs it in any case.
        let hello = Hello(
            version: "controller", processNonce: Self.key, bootID: Self.key, storeID: Self.key,
            highestAttemptSeen: AttemptID(0), containment: .bestEffort, slots: ProtocolLimits.slotsMax,
            labels: [LabelMatch.reported: "true"],
            attempts: held.map { Hello.Known(attempt: $0, state: .running, spooled: next[$0] ?? 0) })
        agent.withLock { $0 = row.id }
        let answer = try await engine.submit { engine in
            engine.agentConnected(
                row.id, session: Self.session, remote: "", hello: hello, logNext: next, writable: true)
        }
        if case .refuse(_, let reason) = answer {
            logger.error("runs of other systems can't be taken up", metadata: ["reason": "\(reason)"])
        }
    }

    private func take(_ message: ControllerMessage) async {
        guard let agent = agent.withLock({ $0 }) else { return }
        switch message {
        case .start(let start):
            await engine.tell(always: true) { $0.started(start.attempt, by: agent, session: Self.session) }
        case .stop(let attempt, let reason, _): await stopped(attempt, reason, agent)
        default: break
        }
    }

    /// Nobody here can stop the other system; for AnsFlow the run ends, and what is reported later is refused.
    private func stopped(_ attempt: AttemptID, _ reason: StopReason, _ agent: AgentID) async {
        let (result, cause): (AttemptResult, Cause) =
            switch reason {
            case .timeout: (.timedOut, .timeout)
            case .revoked: (.cancelled, .agentRevoked)
            case .superseded: (.cancelled, .superseded)
            case .cancel, .ended: (.cancelled, .cancelledByUser)
            }
        do {
            try await order.run {
                try await self.end(attempt, agent) {
                    Finish(attempt: attempt, result: result, cause: cause, log: $0)
                }
            }
        } catch {
            logger.warning(
                "a run of another system was not stopped", metadata: ["attempt.id": "\(attempt)", "error": "\(error)"])
        }
    }

    // MARK: The other system's side

    func prepare() async throws {
        try await order.run {
            if self.agent.withLock({ $0 }) != nil { return }
            if let row = try await self.repository.agent(key: Self.key) { return try await self.connect(row) }
            let token = Self.key + ".\(self.fingerprint)"
            let hash = EnrolmentTokens.hash(secret: token, fingerprint: self.fingerprint)
            let now = Clocks.wall()
            try await self.repository.addEnrolmentToken(
                hash: hash, agent: nil, expiresAt: now + 60_000, by: "ansflow", at: now)
            let row = try await self.repository.enrol(
                tokenHash: hash, key: Self.key, name: Self.name, labels: [LabelMatch.reported: "true"],
                slots: ProtocolLimits.slotsMax, at: now)
            try await self.connect(row)
        }
    }

    func append(_ bytes: [UInt8], to run: RunID, at offset: UInt64?) async throws(ReportFailure) -> UInt64 {
        do {
            return try await order.run { try await self.keep(bytes, run, offset) }
        } catch let failure as ReportFailure {
            throw failure
        } catch {
            throw .unavailable
        }
    }

    private func keep(_ bytes: [UInt8], _ run: RunID, _ offset: UInt64?) async throws -> UInt64 {
        let (attempt, _) = try await attempt(of: run)
        let end = try await store.open(attempt)
        var rest = bytes[...]
        if let offset {
            guard offset <= end else { throw ReportFailure.hole(end: end) }
            rest = rest.dropFirst(Int(clamping: end - offset))
        }
        guard end + UInt64(rest.count) <= PlanLimits.logBytesDefault else {
            throw ReportFailure.full(bytesMax: PlanLimits.logBytesDefault)
        }
        var next = end
        let time = await time(of: attempt)
        while !rest.isEmpty {
            let part = Array(rest.prefix(Self.recordBytesMax))
            let record = LogRecord.encode(offset: next, time: time, bytes: part)
            guard case .accepted = store.append(LogFrame(attempt: attempt, records: record)) else {
                throw ReportFailure.unavailable
            }
            next += UInt64(part.count)
            rest = rest.dropFirst(part.count)
        }
        try await store.sync(attempt)
        return next
    }

    func report(
        _ status: ReportedStatus, exitCode: Int32?, message: String?, of run: RunID
    ) async throws(ReportFailure) {
        do {
            try await order.run {
                let (attempt, agent) = try await self.attempt(of: run)
                let (result, cause): (AttemptResult, Cause)
                switch status {
                case .running: return
                case .success: (result, cause) = (.success, .exit)
                case .failed: (result, cause) = (.failed, .exit)
                case .cancelled: (result, cause) = (.cancelled, .cancelledByUser)
                }
                try await self.end(attempt, agent) { log in
                    Finish(
                        attempt: attempt, result: result, cause: cause,
                        exitCode: exitCode ?? (status == .success ? 0 : status == .failed ? 1 : nil), message: message,
                        log: log)
                }
            }
        } catch let failure as ReportFailure {
            throw failure
        } catch {
            throw .unavailable
        }
    }

    /// The run's attempt. One that was just made is assigned with the engine's next group.
    private func attempt(of run: RunID) async throws -> (AttemptID, AgentID) {
        // Just after a start, before these runs are taken up.
        guard let agent = agent.withLock({ $0 }) else { throw ReportFailure.unavailable }
        if let attempt = await engine.read({ $0.attempt(of: run, heldBy: agent) }) ?? nil { return (attempt, agent) }
        // A group later everything that had room is assigned.
        let found = try await engine.submit { engine -> AttemptID? in engine.attempt(of: run, heldBy: agent) }
        if let found { return (found, agent) }
        throw await engine.read({ $0.isWaiting(run) }) ?? false ? ReportFailure.waiting : ReportFailure.notOpen
    }

    private func end(_ attempt: AttemptID, _ agent: AgentID, _ finish: (LogEnd) -> Finish) async throws {
        let total = try await store.open(attempt)
        let log = LogEnd(attempt: attempt, total: total, sha256: nil, dropped: 0)
        let wall = await time(of: attempt)
        guard case .complete(let found) = try await store.finish(attempt, expected: log) else {
            throw ReportFailure.unavailable
        }
        var finish = finish(log)
        finish.usage = Usage(wallMs: wall)
        let summary = LogSummary(
            state: .complete, bytes: found.total, lines: UInt64(found.lines), sha256: found.sha256, dropped: 0)
        let said = finish
        let isLive = try await engine.submit { engine in
            engine.finished(said, log: summary, by: agent, session: Self.session)
            return engine.isLive(attempt)
        }
        // The engine takes nothing before it was greeted: after a start, or after a disk that was full.
        if isLive { throw ReportFailure.unavailable }
    }

    /// Milliseconds since it began.
    private func time(of attempt: AttemptID) async -> UInt64 {
        let began = await engine.read { $0.startedAt(attempt) } ?? nil
        return began.map { UInt64(max(Clocks.wall() - $0, 0)) } ?? 0
    }
}
