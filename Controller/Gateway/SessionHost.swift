import AnsFlowProtocol
import AnsFlowTransport
import FoundationEssentials
import Logging

/// Takes a connection from its first message to its end.
struct SessionHost: Sendable {
    var directory: any AgentDirectory
    var events: any SessionEvents
    var registry: SessionRegistry
    var timing: Gateway.Timing
    var writable: @Sendable () -> Bool
    var logger: Logger

    func serve(
        _ connection: MessageConnection, acceptedAt: ContinuousClock.Instant, _ ticket: AddressLimiter.Ticket
    ) async {
        guard let hello = await hello(connection, by: acceptedAt + timing.helloDeadline),
            let agent = await known(connection)
        else { return }
        guard let proto = ProtocolVersion.negotiate(minimum: hello.protocolMin, maximum: hello.protocolMax) else {
            return await refuse(
                connection, agent, .version,
                "This controller speaks versions \(ProtocolVersion.oldest) to \(ProtocolVersion.current) of the agent "
                    + "protocol, the agent \(hello.protocolMin) to \(hello.protocolMax). Update the older of the two.")
        }
        guard registry.beginJoin(agent) else {
            return registry.isStopping
                ? refuse(connection, .goingAway, "The controller stops.")
                : refuse(connection, .slowDown, "Another connection of this agent is joining.")
        }
        guard await displace(agent, for: hello, connection) else { return registry.endJoin(agent) }
        let session = registry.install(agent, nonce: hello.processNonce, connection)
        let decision = await events.connected(
            agent: agent, session: session.id, hello: hello, remote: connection.remoteAddress)
        registry.endJoin(agent)
        switch decision {
        case .refuse(let code, let reason):
            registry.remove(session)
            session.finished.raise()
            await refuse(connection, agent, code, reason)
        case .welcome(var welcome):
            ticket.release()
            welcome.proto = proto
            await run(session, welcome)
            registry.remove(session)
            await events.disconnected(agent: agent, session: session.id)
            session.finished.raise()
        }
    }

    // MARK: Joining

    /// The connection's first message, which must be HELLO and come soon after the connection was accepted.
    private func hello(_ connection: MessageConnection, by deadline: ContinuousClock.Instant) async -> Hello? {
        let first = await withTaskGroup(of: Void.self) { group in
            group.addTask {
                guard (try? await Task.sleep(until: deadline, clock: .continuous)) != nil else { return }
                refuse(connection, .malformed, "No HELLO came in time.")
            }
            defer { group.cancelAll() }
            return try? await connection.receive()
        }
        guard let first else { return nil }
        do {
            if case .hello(let hello) = try WireCodec.decodeAgentMessage(first) { return hello }
            refuse(connection, .malformed, "The first message is not HELLO.")
        } catch {
            refuse(connection, .malformed, error.description)
        }
        return nil
    }

    /// Who the connection's key is. The certificate's text says nothing: only its key counts.
    private func known(_ connection: MessageConnection) async -> AgentID? {
        guard let key = connection.peerCertificateDER.flatMap({ KeyFingerprint.of(certificateDER: $0) }) else {
            refuse(connection, .notAuthenticated, "The client certificate can't be read. Enrol the agent again.")
            return nil
        }
        do {
            guard let agent = try await directory.agent(forKey: key) else {
                refuse(connection, .notAuthenticated, "This key is not enrolled here. Enrol the agent again.")
                return nil
            }
            guard !agent.revoked else {
                await refuse(connection, agent.id, .revoked, "This agent is revoked.")
                return nil
            }
            return agent.id
        } catch {
            logger.error("agent can't be looked up", metadata: ["error": "\(error)"])
            refuse(connection, .notWritable, "The controller can't look the agent up at the moment.")
            return nil
        }
    }

    /// Ends an older session of the agent where the new connection may take its place.
    ///
    /// The same process has left its old connection by itself. Another process with the same key gets the place only when the
    /// old one does not answer: two agents with one key must not take it from each other in turn.
    private func displace(_ agent: AgentID, for hello: Hello, _ connection: MessageConnection) async -> Bool {
        guard let old = registry.session(of: agent) else { return true }
        if old.processNonce == hello.processNonce {
            old.close(.replaced, "A newer connection of the same process took this one's place.")
        } else if await old.answersProbe(within: timing.probeDeadline) {
            logger.warning("another process shows an agent's key", metadata: ["agent.id": "\(agent)"])
            await refuse(
                connection, agent, .identityConflict,
                "Another agent process with this key is connected. Stop it, or enrol this one with a token of its own.")
            return false
        } else {
            old.connection.abort(code: CloseCode.replaced.rawValue, reason: "The agent did not answer a probe.")
        }
        await old.finished.wait()
        return connection.end == nil && !Task.isCancelled
    }

    private func refuse(_ connection: MessageConnection, _ code: CloseCode, _ reason: String) {
        connection.close(code: code.rawValue, reason: reason)
    }

    /// As ``refuse(_:_:_:)``, and an operator sees it with the agent, unless the same agent is let in a moment later.
    private func refuse(
        _ connection: MessageConnection, _ agent: AgentID, _ code: CloseCode, _ reason: String
    ) async {
        refuse(connection, code, reason)
        switch code {
        case .version, .revoked, .identityConflict, .generation, .notAuthenticated:
            await events.refused(agent: agent, code: code, reason: "\(connection.remoteAddress) was refused: \(reason)")
        default: break
        }
    }

    // MARK: Running

    private func run(_ session: AgentSession, _ welcome: Welcome) async {
        do {
            try session.open(welcome)
        } catch {
            logger.error("WELCOME can't be sent", metadata: ["agent.id": "\(session.agent)", "error": "\(error)"])
            return session.close(.malformed, "The controller's WELCOME is too long.")
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await heartbeats(session) }
            defer { group.cancelAll() }
            await read(session)
        }
    }

    private func read(_ session: AgentSession) async {
        while let bytes = try? await session.connection.receive() {
            do {
                switch try WireCodec.decodeAgentMessage(bytes) {
                case .hello: return session.close(.malformed, "HELLO came twice.")
                case .log(let frame): await events.receivedLog(agent: session.agent, session: session.id, frame: frame)
                case .heartbeat(let heartbeat):
                    session.heartbeatCame()
                    await events.received(
                        agent: session.agent, session: session.id, message: .heartbeat(heartbeat))
                case let message: await events.received(agent: session.agent, session: session.id, message: message)
                }
            } catch {
                logger.warning(
                    "malformed message", metadata: ["agent.id": "\(session.agent)", "error": "\(error)"])
                return session.close(.malformed, error.description)
            }
        }
    }

    private func heartbeats(_ session: AgentSession) async {
        while (try? await Task.sleep(for: timing.heartbeatInterval)) != nil {
            let now = Int64(Date().timeIntervalSince1970 * 1000)
            _ = try? session.send(.heartbeat(ControllerHeartbeat(nowMs: now, writable: writable())))
        }
    }
}
