import AnsFlowProtocol
import AnsFlowTransport
import ControllerCore
import NIOConcurrencyHelpers

/// One agent's connection from its HELLO on.
final class AgentSession: Sendable {
    private struct State {
        /// Until WELCOME is out, what is sent waits here.
        var queued: [[UInt8]]? = []
        var queuedBytes = 0
        var probes: [AsyncFlag] = []
    }

    let id: SessionID
    let agent: AgentID
    let processNonce: String
    let connection: MessageConnection
    /// Raised when the engine was told of the session's end.
    let finished = AsyncFlag()
    private let state = NIOLockedValueBox(State())

    init(id: SessionID, agent: AgentID, processNonce: String, connection: MessageConnection) {
        self.id = id
        self.agent = agent
        self.processNonce = processNonce
        self.connection = connection
    }

    /// Sends without waiting; an overflow closes the connection, after which both sides derive anew what to say.
    ///
    /// - Returns: Whether the message was taken.
    func send(_ message: ControllerMessage) throws(WireError) -> Bool {
        let bytes = try WireCodec.encode(message)
        let outcome = state.withLockedValue { state -> MessageConnection.SendOutcome in
            guard state.queued != nil else { return connection.trySend(bytes) }
            guard state.queuedBytes + bytes.count <= 4 * 1024 * 1024 else { return .overflow }
            state.queued?.append(bytes)
            state.queuedBytes += bytes.count
            return .sent
        }
        if outcome == .overflow {
            close(.slowDown, "The agent does not take what it is sent. It is read anew when it comes again.")
        }
        return outcome == .sent
    }

    /// Sends WELCOME and then what has waited for it.
    func open(_ welcome: Welcome) throws(WireError) {
        let first = try WireCodec.encode(.welcome(welcome))
        state.withLockedValue { state in
            for bytes in [first] + (state.queued ?? []) { _ = connection.trySend(bytes) }
            state.queued = nil
            state.queuedBytes = 0
        }
    }

    func close(_ code: CloseCode, _ reason: String) {
        connection.close(code: code.rawValue, reason: reason)
    }

    func heartbeatCame() {
        let probes = state.withLockedValue { state in
            defer { state.probes = [] }
            return state.probes
        }
        for probe in probes { probe.raise() }
    }

    /// Whether the agent answers a probe in time.
    func answersProbe(within limit: Duration) async -> Bool {
        let answered = AsyncFlag()
        state.withLockedValue { $0.probes.append(answered) }
        guard (try? send(.probe)) == true else { return false }
        return await withTaskGroup(of: Bool.self) { group in
            group.addTask { await answered.wait() }
            group.addTask {
                await self.finished.wait()
                return false
            }
            group.addTask {
                try? await Task.sleep(for: limit)
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? false
        }
    }
}
