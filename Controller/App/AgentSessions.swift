import AnsFlowProtocol
import ControllerCore
import ControllerGateway
import ControllerIdentity
import ControllerStore

/// What happens on agents' connections, handed to engine and log store.
struct AgentSessions: SessionEvents {
    let engine: Engine
    let ingest: LogIngest

    func connected(
        agent: AgentID, session: SessionID, hello: Hello, remote: String
    ) async -> HelloDecision {
        let next = await ingest.next(of: hello.attempts.map(\.attempt), agent: agent)
        do {
            let answer = try await engine.submit { engine in
                engine.agentConnected(
                    agent, session: session, remote: remote, hello: hello, logNext: next, writable: true)
            }
            switch answer {
            case .welcome(let welcome): return .welcome(welcome)
            case .refuse(let code, let reason): return .refuse(code, reason: reason)
            }
        } catch {
            return .refuse(.notWritable, reason: "The controller can't make anything durable now.")
        }
    }

    func received(agent: AgentID, session: SessionID, message: AgentMessage) async {
        switch message {
        case .started(let attempt): await engine.tell { $0.started(attempt, by: agent, session: session) }
        case .declined(let attempt, let reason):
            await engine.tell { $0.declined(attempt, reason: reason, by: agent, session: session) }
        case .finish(let finish): await ingest.finished(finish, agent: agent, session: session)
        case .gap(let attempt, let offset, let length, let reason):
            await ingest.gap(attempt, offset: offset, length: length, reason: reason, agent: agent, session: session)
        case .heartbeat(let heartbeat): await engine.tell { $0.heartbeat(agent, session: session, heartbeat) }
        // FINISH says all of it again.
        case .eof: break
        case .hello, .log: break
        }
    }

    func receivedLog(agent: AgentID, session: SessionID, frame: LogFrame) async {
        await ingest.received(frame, agent: agent, session: session)
    }

    func disconnected(agent: AgentID, session: SessionID) async {
        await engine.tell(always: true) { $0.agentDisconnected(agent, session: session) }
    }

    func refused(agent: AgentID, code: CloseCode, reason: String) async {
        await engine.tell { $0.refused(agent, code, reason: reason) }
    }
}

/// Enrolled keys, in the store; the engine hears of each.
struct EnrolledAgents: AgentDirectory {
    let repository: any AgentRepository
    let engine: Engine
    let fingerprint: String
    let audit: any AuditLog

    func agent(forKey fingerprint: String) async throws -> KnownAgent? {
        guard let row = try await repository.agent(key: fingerprint) else { return nil }
        // Enrolled while the engine was halted or overloaded: it hears of it now.
        if await engine.read({ $0.view(of: row.id) == nil }) ?? false { try await engine.submit { $0.learn(row) } }
        return KnownAgent(id: row.id, revoked: row.revoked)
    }

    func enrol(
        token: String?, key: String, name: String, labels: [String: String], slots: Int, remote: String
    ) async throws -> EnrolOutcome {
        do {
            guard let token else {
                guard let row = try await repository.agent(key: key) else { throw EnrolmentRefusal.unknownKey }
                guard !row.revoked else { throw EnrolmentRefusal.revoked }
                return .agent(row.id)
            }
            let row = try await repository.enrol(
                tokenHash: EnrolmentTokens.hash(secret: token, fingerprint: fingerprint), key: key, name: name,
                labels: labels, slots: slots, at: Clocks.wall())
            // Where the engine is halted it reads the row when it loads again.
            try? await engine.submit { $0.learn(row) }
            try await tell(name: name, id: "\(row.id)", .success, "", remote)
            return .agent(row.id)
        } catch let refusal as EnrolmentRefusal {
            // Strangers may try without end: of them the listener's own limit says how many are told.
            try? await tell(name: name, id: "", .refused, "\(refusal)", remote)
            return .refused(Self.answer(refusal, name: name))
        }
    }

    /// Enrolment by token; renewals of a known key are no news.
    private func tell(name: String, id: String, _ result: AuditResult, _ detail: String, _ remote: String) async throws
    {
        try await audit.record(
            AuditEntry(
                at: Clocks.wall(), actor: result == .success ? .agent : .nobody, name: name,
                actorID: Int64(id), operation: "enrolAgent", objectType: "agent", objectID: id, result: result,
                detail: detail, remote: remote))
    }

    private static func answer(_ refusal: EnrolmentRefusal, name: String) -> EnrolRefusal {
        switch refusal {
        case .badToken:
            EnrolRefusal(
                .token,
                "The token is unknown, too old or was used by another agent. Make a new one: ansflow agent-token create"
            )
        case .nameTaken:
            EnrolRefusal(
                .conflict,
                "Another agent is called \(name). Choose another --name, or re-key it: ansflow agent-token create --agent \(name)"
            )
        case .revoked: EnrolRefusal(.revoked, "This agent was revoked.")
        case .unknownKey: EnrolRefusal(.unknownKey, "This key is not enrolled here. Enrol with a token.")
        }
    }
}
