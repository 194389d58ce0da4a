import AnsFlowProtocol
import ControllerCore
import Synchronization

@testable import ControllerHTTP

extension World: AccessReading {
    func access(of principal: Principal) async throws -> Access {
        state.withLock { state in
            Access(
                isAdministrator: principal.isAdministrator,
                roles: state.roles[principal.user].map { [.main: $0] } ?? [:],
                projects: [.main: state.projectState, ProjectID(2): .active])
        }
    }
    var accessVersion: UInt64 { state.withLock { $0.accessVersion } }

    /// Gives a user another role, or none.
    func set(_ role: Role?, of user: Int64) {
        state.withLock { state in
            state.roles[UserID(user)] = role
            state.accessVersion += 1
        }
    }
}
