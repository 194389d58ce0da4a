import ControllerCore
import HTTPTypes
import Synchronization

/// Writes who did what, before the answer leaves.
final class AuditTrail: Sendable {
    /// What changes nothing although it is no GET, or has a durable record of its own that says the same: a delivery, a log's lines.
    static let unaudited: Set<String> = ["validatePipeline", "createTicket"]

    /// Strangers can't be told apart, and there may be any number of them: of what they are refused, so much is written.
    static let strangersBurst = 120.0
    static let strangersPerSecond = 2.0

    private struct Strangers {
        var tokens = AuditTrail.strangersBurst
        var at = ContinuousClock.now
        var left: UInt64 = 0
    }

    private let log: (any AuditLog)?
    private let strangers = Mutex(Strangers())

    init(_ log: (any AuditLog)?) {
        self.log = log
    }

    /// Whether requests of `route` are told.
    static func tells(_ route: Route) -> Bool {
        route.method != .get && route.method != .head && !unaudited.contains(route.operation)
            && !route.path.hasPrefix("/webhooks/")
    }

    /// - Returns: false where the act could not be written.
    func write(_ draft: AuditDraft, _ call: Caller, _ answer: Answer) async -> Bool {
        guard let log else { return true }
        let state = draft.current
        if state.isCarried, answer.status < 400 { return true }
        var entry = Self.entry(draft, call.principal, remote: call.remote, requestID: call.requestID)
        entry.status = answer.status
        entry.result = answer.status < 400 ? .success : answer.status < 500 ? .refused : .failed
        if entry.detail.isEmpty { entry.detail = answer.title ?? "" }
        Self.name(&entry, answer.location, call.route, call.parameters)
        if call.principal == nil {
            if entry.result == .success, state.name != nil {
                entry.actor = .user
            } else {
                guard let left = admit() else { return true }
                if left > 0 { entry.detail += " (\(left) acts of strangers before it were left out)" }
            }
        }
        do {
            try await log.record(entry)
            return true
        } catch {
            return false
        }
    }

    /// Who asked for what.
    struct Caller {
        var principal: Principal?
        var remote: String
        var requestID: String
        var route: Route
        var parameters: [String]
    }

    /// What came of it.
    struct Answer {
        var status: Int
        var title: String?
        var location: String?
    }

    static func entry(_ draft: AuditDraft, _ caller: Principal?, remote: String, requestID: String) -> AuditEntry {
        let state = draft.current
        var entry = AuditEntry(
            at: draft.at, actor: .nobody, name: state.name ?? caller?.name ?? "", operation: draft.operation,
            objectType: state.objectType, objectID: state.objectID, project: state.project, fields: state.fields,
            detail: state.detail, remote: remote, requestID: requestID)
        guard let caller else { return entry }
        entry.actorID = caller.user.rawValue
        entry.name = caller.name
        switch caller.kind {
        case .session: entry.actor = .user
        case .apiKey(let id):
            entry.actor = .key
            entry.key = id
        }
        return entry
    }

    /// The object: what was made, else what the path names last.
    private static func name(_ entry: inout AuditEntry, _ location: String?, _ route: Route, _ parameters: [String]) {
        guard entry.objectType.isEmpty else { return }
        if let parts = location?.split(separator: "/"), parts.count >= 2, let id = parts.last {
            entry.objectType = singular(parts[parts.count - 2])
            entry.objectID = String(id)
            return
        }
        let segments = route.path.split(separator: "/")
        if let last = segments.lastIndex(where: { $0.hasPrefix("{") }), last > 0, let id = parameters.last {
            entry.objectType = singular(segments[last - 1])
            entry.objectID = id
        } else if let last = segments.last {
            entry.objectType = singular(last)
        }
    }

    /// `pipeline-runs` as `pipeline_run`.
    static func singular(_ segment: Substring) -> String {
        let word = segment.replacing("-", with: "_")
        if word.hasSuffix("ies") { return word.dropLast(3) + "y" }
        return word.hasSuffix("s") && !word.hasSuffix("ss") ? String(word.dropLast()) : String(word)
    }

    /// How many were left out before this one; nil where this one is left out too.
    private func admit() -> UInt64? {
        strangers.withLock { state in
            let now = ContinuousClock.now
            let seconds =
                Double((now - state.at).components.seconds) + Double(
                    (now - state.at).components.attoseconds) / 1e18
            state.tokens = min(Self.strangersBurst, state.tokens + seconds * Self.strangersPerSecond)
            state.at = now
            guard state.tokens >= 1 else {
                state.left += 1
                return nil
            }
            state.tokens -= 1
            defer { state.left = 0 }
            return state.left
        }
    }
}
