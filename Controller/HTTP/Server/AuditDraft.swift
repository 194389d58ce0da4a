package import ControllerCore
import Synchronization

/// What a request's audit entry will say, gathered while the request is handled.
package final class AuditDraft: Sendable {
    struct State {
        var fields: [String] = []
        var name: String?
        var objectType = ""
        var objectID = ""
        var project: ProjectID?
        var detail = ""
        /// It went along in the act's own transaction, so that it is written where that succeeds.
        var isCarried = false
    }

    let operation: String
    let at: Int64
    private let state = Mutex(State())

    init(operation: String, at: Int64) {
        self.operation = operation
        self.at = at
    }

    var current: State { state.withLock { $0 } }
    func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }
}

extension Call {
    /// Adds to what the audit log says of this request. Never give it a value that may be secret.
    ///
    /// - Parameters:
    ///   - name: who acts, where the route is public.
    ///   - object: what is acted upon, where the path and the answer's `Location` do not say it.
    package func note(
        name: String? = nil, object: (type: String, id: String)? = nil, project: ProjectID? = nil,
        detail: String? = nil
    ) {
        audit?.change { state in
            if let name { state.name = name }
            if let object { (state.objectType, state.objectID) = object }
            if let project { state.project = project }
            if let detail { state.detail = detail }
        }
    }

    /// This request's entry, for a command that writes it in its own transaction. Where the command fails it is written as a refusal.
    func carriedAudit() -> AuditEntry? {
        guard let audit else { return nil }
        audit.change { $0.isCarried = true }
        var entry = AuditTrail.entry(audit, caller, remote: remote, requestID: requestID)
        entry.status = 201
        return entry
    }
}
