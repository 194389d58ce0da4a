import AnsFlowProtocol
import ControllerCore
import ControllerGateway
import FoundationEssentials
import Glibc
import NIOConcurrencyHelpers
import Testing

/// Keys and tokens in memory, with the rules that the store must keep.
actor FakeDirectory: AgentDirectory {
    struct Unavailable: Error {}

    private var tokens: [String: String?] = [:]
    private var keys: [String: KnownAgent] = [:]
    private var next: Int64 = 1
    var available = true
    private(set) var enrolments = 0

    func addToken(_ secret: String) { tokens[secret] = .some(nil) }
    func setAvailable(_ value: Bool) { available = value }

    func add(key: String) -> AgentID {
        let agent = AgentID(next)
        next += 1
        keys[key] = KnownAgent(id: agent, revoked: false)
        return agent
    }

    func revoke(_ agent: AgentID) {
        for (key, known) in keys where known.id == agent { keys[key] = KnownAgent(id: agent, revoked: true) }
    }

    func agent(forKey fingerprint: String) throws -> KnownAgent? {
        guard available else { throw Unavailable() }
        return keys[fingerprint]
    }

    func enrol(
        token: String?, key: String, name: String, labels: [String: String], slots: Int, remote: String
    ) throws -> EnrolOutcome {
        guard available else { throw Unavailable() }
        guard let token else {
            guard let known = keys[key] else { return .refused(EnrolRefusal(.unknownKey, "Enrol with a token.")) }
            return known.revoked ? .refused(EnrolRefusal(.revoked, "This agent is revoked.")) : .agent(known.id)
        }
        guard let user = tokens[token], user == nil || user == key else {
            return .refused(EnrolRefusal(.token, "The token is not good."))
        }
        tokens[token] = .some(key)
        enrolments += 1
        return .agent(keys[key]?.id ?? add(key: key))
    }
}

/// Records what the engine would be told, and answers HELLO as it is told to.
final class FakeEvents: SessionEvents {
    enum Event: Equatable, Sendable {
        case connected(AgentID, SessionID)
        case received(AgentMessage)
        case log(LogFrame)
        case disconnected(AgentID, SessionID)
        case refused(AgentID, CloseCode)

        var refusal: CloseCode? {
            if case .refused(_, let code) = self { return code }
            return nil
        }
    }

    private let recorded = NIOLockedValueBox<[Event]>([])
    private let answer = NIOLockedValueBox<HelloDecision?>(nil)
    /// Called inside `connected`, before its answer.
    let onConnected = NIOLockedValueBox<(@Sendable (AgentID, SessionID) -> Void)?>(nil)

    var events: [Event] { recorded.withLockedValue { $0 } }
    func decide(_ decision: HelloDecision) { answer.withLockedValue { $0 = decision } }

    private func record(_ event: Event) { recorded.withLockedValue { $0.append(event) } }

    func connected(agent: AgentID, session: SessionID, hello: Hello, remote: String) async -> HelloDecision {
        record(.connected(agent, session))
        onConnected.withLockedValue { $0 }?(agent, session)
        return answer.withLockedValue { $0 }
            ?? .welcome(Welcome(proto: 0, generation: 1, agent: agent, verdicts: [], writable: true))
    }

    func received(agent: AgentID, session: SessionID, message: AgentMessage) async { record(.received(message)) }
    func receivedLog(agent: AgentID, session: SessionID, frame: LogFrame) async { record(.log(frame)) }
    func disconnected(agent: AgentID, session: SessionID) async { record(.disconnected(agent, session)) }
    func refused(agent: AgentID, code: CloseCode, reason: String) async { record(.refused(agent, code)) }
}

/// A directory that is removed with all that is in it.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/ansflow-gateway-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
        }
        path = try #require(made)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// Waits until a condition comes true, at most half a minute.
func until(_ what: String, _ condition: () async -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(30)
    while !(await condition()) {
        try #require(ContinuousClock.now < deadline, "\(what) did not come true in time")
        try await Task.sleep(for: .milliseconds(5))
    }
}
