import ControllerCore
import HTTPTypes
import Synchronization

/// Whether a handler has asked what its caller may do. The dispatcher refuses the answer of one that has a role and did not ask.
package final class Grants: Sendable {
    private let asked = Atomic<Bool>(false)

    var wereAsked: Bool { asked.load(ordering: .acquiring) }
    func noteAsked() { asked.store(true, ordering: .releasing) }
}

extension Call {
    /// Goes on where the caller has at least `role` in the project of the object that was loaded. Call it with the loaded object's
    /// project, never with one that the request names.
    ///
    /// - Parameters:
    ///   - role: the route's own where it is not given.
    ///   - what: the kind of object, for the 404: to those who may not know of it, it does not exist.
    ///   - evenArchived: whether it may be done in an archived project too; reading always may.
    func allow(
        _ role: Role? = nil, in project: ProjectID, what: String = "project", evenArchived: Bool = false
    ) async throws {
        grants.noteAsked()
        note(project: project)
        guard let role = role ?? self.role else { preconditionFailure("a route without a role asked for it") }
        switch access.verdict(role, in: project) {
        case .allowed: break
        case .unknown: throw Problem.notFound("There is no such \(what).")
        case .tooSmall(let own):
            throw Problem.forbidden(
                "This needs the role `\(role.rawValue)` in the project; you have `\(own.rawValue)`. Ask an owner of the project."
            )
        }
        let isRead = method == .get || method == .head
        if !isRead, !evenArchived, access.state(of: project) == .archived {
            throw Problem.conflict(
                "The project is archived: nothing of it can be changed or started. Make it active first.")
        }
    }

    /// The projects whose things the caller sees in lists.
    var visible: Visibility {
        grants.noteAsked()
        return access.visibility
    }
}
