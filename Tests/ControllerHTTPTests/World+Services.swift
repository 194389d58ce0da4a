import AnsFlowProtocol
import ControllerCore
import ControllerRealtime
import Synchronization

@testable import ControllerHTTP

extension World: EngineCommands {
    func createRun(_ request: RunRequest) async throws(CommandFailure) -> RunRow {
        if let halted = state.withLock({ $0.halted }) { throw .notWritable(halted) }
        state.withLock { $0.requests.append(request) }
        let id = Int64(state.withLock { $0.runs.count } + 1)
        addRun(id, branch: request.branch)
        let run = state.withLock { state in
            state.runs[RunID(id)]?.run.ref = request.ref
            state.runs[RunID(id)]?.run.tag = request.tag
            state.runs[RunID(id)]?.run.commit = request.commit
            state.runs[RunID(id)]?.run.priority = request.priority
            state.runs[RunID(id)]?.run.inputs = request.inputs
            return state.runs[RunID(id)]?.run
        }
        guard let run else { throw .notFound }
        if let key = request.idempotencyKey { state.withLock { $0.keys[key] = run.id } }
        return run
    }
    func cancelRun(
        _ run: RunID, by actor: String, reason: String?, force: Bool, skipFinally: Bool
    ) async throws(CommandFailure) -> RunRow {
        let row = state.withLock { state in
            state.cancelled.append((run, reason, force))
            if skipFinally { state.skippedFinally.append(run) }
            return state.runs[run]?.run
        }
        guard let row else { throw .notFound }
        return row
    }
    func approve(
        _ run: RunID, job: String?, by actor: String, inputs: [String: InputValue], reason: String?
    ) async throws(CommandFailure) -> ApprovalRow {
        if inputs["region"] == .text("moon") {
            throw .invalid([FieldFault(field: "region", message: "It must be `eu` or `us`.")])
        }
        return try answered(
            Answered(run: run, job: job, yes: true, by: actor, inputs: inputs, reason: reason), .approved)
    }
    func decline(
        _ run: RunID, job: String?, by actor: String, reason: String?
    ) async throws(CommandFailure) -> ApprovalRow {
        try answered(Answered(run: run, job: job, yes: false, by: actor, inputs: [:], reason: reason), .declined)
    }
    private func answered(_ answer: Answered, _ new: ApprovalRow.State) throws(CommandFailure) -> ApprovalRow {
        let row: ApprovalRow? = state.withLock { state in
            guard let detail = state.runs[answer.run] else { return nil }
            let job = detail.jobs.first { $0.name == answer.job }?.id
            guard let index = detail.approvals.firstIndex(where: { $0.job == job }) else { return nil }
            state.answers.append(answer)
            state.runs[answer.run]?.approvals[index].state = new
            state.runs[answer.run]?.approvals[index].by = answer.by
            return state.runs[answer.run]?.approvals[index]
        }
        guard let row else { throw .conflict("Nothing waits.") }
        return row
    }
    func waitingReasons(_ run: RunID) async -> [WaitingReason] {
        [WaitingReason(job: "pack", kind: .needs, message: "It waits for build.")]
    }
    private var view: AgentView {
        AgentView(
            row: AgentRow(
                id: AgentID(1), name: "one", key: "ab", labels: ["os": "linux"], slots: 2, createdAt: World.now),
            connected: true, busy: 1)
    }
    private func view(_ id: AgentID) throws(CommandFailure) -> AgentView {
        guard id == AgentID(1) else { throw .notFound }
        return view
    }
    func agents() async -> [AgentView] { [view] }
    func agent(_ id: AgentID) async -> AgentView? { id == AgentID(1) ? view : nil }
    func pauseAgent(_ id: AgentID, note: String?) async throws(CommandFailure) -> AgentView { try view(id) }
    func resumeAgent(_ id: AgentID) async throws(CommandFailure) -> AgentView { try view(id) }
    func drainAgent(_ id: AgentID) async throws(CommandFailure) -> AgentView { try view(id) }
    func revokeAgent(_ id: AgentID, by actor: String) async throws(CommandFailure) -> AgentView { try view(id) }
    func agentGone(_ id: AgentID, by actor: String, reason: String?) async throws(CommandFailure) -> AgentView {
        throw .conflict("The agent is connected.")
    }
    func statistics() async -> EngineStatistics {
        var statistics = EngineStatistics()
        statistics.halted = state.withLock { $0.halted }
        return statistics
    }
}

extension World: PipelineReading {
    func compile(_ request: CompileRequest) -> (plan: RunPlan?, diagnostics: [Diagnostic]) {
        let faults = state.withLock { $0.givenFaults }
        if !faults.isEmpty { return (nil, faults) }
        if request.definition.contains("broken") {
            return (
                nil, [Diagnostic(code: .unknownWord, message: "The word `broken` is not known.", line: 3, path: "jobs")]
            )
        }
        return (World.plan, [])
    }
}

extension World: LogReading {
    func info(_ attempt: AttemptID) async throws -> LogInfo {
        try state.withLock { state in
            guard let lines = state.logs[attempt] else { throw LogReadFailure.notFound }
            let bytes = lines.reduce(0) { $0 + $1.utf8.count + 1 }
            return LogInfo(bytes: UInt64(bytes), lines: UInt64(lines.count), complete: false)
        }
    }
    func lines(_ attempt: AttemptID, from: UInt64, count: Int) async throws -> LogPage {
        let info = try await info(attempt)
        let lines = state.withLock { $0.logs[attempt] ?? [] }
        let found = lines.enumerated().dropFirst(Int(from) - 1).prefix(count).map {
            LogLine(number: UInt64($0.offset + 1), timeMs: 1, text: $0.element, partial: false)
        }
        return LogPage(firstLine: from, lines: Array(found), info: info)
    }
    func tail(_ attempt: AttemptID, count: Int) async throws -> LogPage {
        let info = try await info(attempt)
        let from = info.lines > UInt64(count) ? info.lines - UInt64(count) + 1 : 1
        return try await lines(attempt, from: from, count: count)
    }
    func place(_ attempt: AttemptID, line: UInt64) async throws -> Range<UInt64>? {
        let lines = state.withLock { $0.logs[attempt] ?? [] }
        guard line >= 1, line <= lines.count else { return nil }
        let start = lines.prefix(Int(line) - 1).reduce(0) { $0 + $1.utf8.count + 1 }
        return UInt64(start)..<UInt64(start + lines[Int(line) - 1].utf8.count + 1)
    }
    func bytes(
        _ attempt: AttemptID, range: Range<UInt64>, into chunk: @Sendable ([UInt8]) async throws -> Void
    ) async throws {
        let all = state.withLock { Array((($0.logs[attempt] ?? []).map { $0 + "\n" }).joined().utf8) }
        let wanted = Array(all[Int(range.lowerBound)..<Int(range.upperBound)])
        // Odd pieces, but not a million of them.
        let piece = max(7, wanted.count / 300)
        for start in stride(from: 0, to: wanted.count, by: piece) {
            try await chunk(Array(wanted[start..<min(start + piece, wanted.count)]))
        }
    }
    func follow(
        _ attempt: AttemptID, handler: @escaping @Sendable (LogBatch) -> Void
    ) async throws -> any LogFollowing {
        let id = state.withLock { state in
            state.nextFollower += 1
            state.followers[state.nextFollower] = (attempt, handler)
            return state.nextFollower
        }
        return Following(world: self, id: id)
    }

    private struct Following: LogFollowing {
        let world: World
        let id: Int
        func cancel() { world.state.withLock { $0.followers[id] = nil } }
    }
}

extension World: Authenticating, LoginService, TicketService, APIKeyService, EnrolmentTokenService {
    static let admin = Principal(
        user: UserID(1), name: "admin", kind: .session(1), scopes: [.read, .run, .write, .admin],
        isAdministrator: true)

    func authenticate(bearer: String) async throws -> Principal? {
        guard state.withLock({ $0.valid.contains(bearer) }) else { return nil }
        switch bearer {
        case "admin-token": return World.admin
        case "runner-token":
            return Principal(user: UserID(4), name: "runner", kind: .session(4), scopes: [.read, .run])
        case "leaving-token": return Principal(user: UserID(3), name: "leaver", kind: .session(3), scopes: [.read])
        default: return Principal(user: UserID(2), name: "reader", kind: .apiKey(2), scopes: [.read])
        }
    }
    func isStillValid(_ principal: Principal) async -> Bool {
        principal.name != "leaver" || state.withLock { $0.valid.contains("leaving-token") }
    }
    func login(username: String, password: String, remote: String) async throws -> TokenPair {
        let left = state.withLock { state in
            state.loginsLeft -= 1
            return state.loginsLeft
        }
        if left < 0 { throw LoginFailure.tooMany(retryAfter: 7) }
        guard password == "right" else { throw LoginFailure.refused }
        return TokenPair(accessToken: "admin-token", refreshToken: "r", expiresIn: 900)
    }
    func refresh(_ refreshToken: String, remote: String) async throws -> TokenPair { throw LoginFailure.refused }
    func logout(_ principal: Principal) async throws {}
    func issueTicket(for principal: Principal) -> IssuedSecret? {
        state.withLock { state in
            let text = "ticket-\(state.tickets.count)"
            state.tickets[text] = principal
            return IssuedSecret(text: text, expiresAt: World.now + 30_000)
        }
    }
    func redeemTicket(_ text: String) -> Principal? { state.withLock { $0.tickets.removeValue(forKey: text) } }
    func createKey(
        name: String, scopes: [Scope], expiresAt: Int64?, for principal: Principal
    ) async throws -> (row: APIKeyRow, text: String) {
        (
            APIKeyRow(
                id: 1, user: principal.user, name: name, hash: "h", prefix: "ansk_abc", scopes: scopes.map(\.rawValue),
                createdAt: World.now, expiresAt: expiresAt), "ansk_abcdef"
        )
    }
    func keys(of principal: Principal) async throws -> [APIKeyRow] { [] }
    func deleteKey(_ id: Int64, of user: UserID) async throws -> Bool { id == 1 }
    func issueEnrolmentToken(agent: AgentID?, by actor: String) async throws -> IssuedSecret {
        IssuedSecret(text: "token.fingerprint", expiresAt: World.now + 900_000)
    }
}

extension World {
    func services(_ hub: EventHub) -> HTTPServices {
        var services = HTTPServices(
            commands: self, queries: self, pipelines: self, logs: self, compiler: self, authentication: self,
            access: self,
            logins: self, tickets: self, keys: self, enrolmentTokens: self, hub: hub,
            runsVersion: { self.state.withLock { $0.version } })
        services.approvals = self
        services.logSearch = self
        services.deployments = self
        services.definitionSchema = Array(#"{"title":"pipeline"}"#.utf8)
        return services
    }

    func hub() -> EventHub {
        EventHub(
            reading: TopicStore(queries: self, pipelines: self, waiting: { await self.waitingReasons($0) }), logs: self,
            now: { World.now })
    }
}
