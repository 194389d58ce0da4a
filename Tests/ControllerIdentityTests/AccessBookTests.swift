import AnsFlowProtocol
import ControllerCore
import Synchronization
import Testing

@testable import ControllerIdentity

/// Roles in memory that count how often they are read.
private final class Roles: AccessRepository {
    struct State {
        var version: UInt64 = 1
        var roles: [UserID: [ProjectID: Role]] = [:]
        var administrators: [UserID: Bool] = [:]
        var reads = 0
    }

    let state = Mutex(State())

    func change(_ body: (inout State) -> Void) {
        state.withLock { state in
            body(&state)
            state.version += 1
        }
    }
    var accessVersion: UInt64 { state.withLock { $0.version } }
    func roles(of user: UserID) async throws -> [ProjectID: Role] {
        state.withLock { state in
            state.reads += 1
            return state.roles[user] ?? [:]
        }
    }
    func projectStates() async throws -> [ProjectID: ProjectState] {
        [ProjectID(1): .active, ProjectID(2): .archived, ProjectID(3): .deleting]
    }
    func isAdministrator(_ user: UserID) async throws -> Bool? { state.withLock { $0.administrators[user] } }
}

@Suite struct AccessBookTests {
    private static func principal(_ user: Int64) -> Principal {
        Principal(user: UserID(user), name: "u", kind: .session(1), scopes: [.read])
    }

    @Test func rolesIncludeThoseBelow() {
        #expect(Role.allCases.sorted() == [.viewer, .developer, .maintainer, .owner])
        let access = Access(
            isAdministrator: false, roles: [ProjectID(1): .developer, ProjectID(3): .owner],
            projects: [ProjectID(1): .active, ProjectID(2): .active, ProjectID(3): .deleting])
        #expect(access.verdict(.viewer, in: ProjectID(1)) == .allowed)
        #expect(access.verdict(.developer, in: ProjectID(1)) == .allowed)
        #expect(access.verdict(.maintainer, in: ProjectID(1)) == .tooSmall(.developer))
        #expect(access.verdict(.viewer, in: ProjectID(2)) == .unknown)
        #expect(access.verdict(.viewer, in: ProjectID(3)) == .unknown, "a project that is being deleted is gone")
        #expect(access.verdict(.viewer, in: ProjectID(9)) == .unknown)
        #expect(access.visibility == .only([ProjectID(1)]))
        var administrator = access
        administrator.isAdministrator = true
        #expect(administrator.verdict(.owner, in: ProjectID(2)) == .allowed)
        #expect(administrator.verdict(.viewer, in: ProjectID(9)) == .unknown, "not even for administrators")
        #expect(administrator.visibility == .all)
    }

    @Test func aChangeCountsAtOnceAndNothingElseIsReadTwice() async throws {
        let roles = Roles()
        roles.change {
            $0.administrators = [UserID(1): true, UserID(2): false]
            $0.roles[UserID(2)] = [ProjectID(1): .viewer]
        }
        let book = AccessBook(roles)
        for _ in 0..<50 {
            #expect(try await book.access(of: Self.principal(2)).role(in: ProjectID(1)) == .viewer)
        }
        #expect(roles.state.withLock { $0.reads } == 1)
        roles.change { $0.roles[UserID(2)] = [ProjectID(1): .owner] }
        #expect(try await book.access(of: Self.principal(2)).role(in: ProjectID(1)) == .owner)
        roles.change { $0.roles[UserID(2)] = nil }
        #expect(try await book.access(of: Self.principal(2)).role(in: ProjectID(1)) == nil)
        #expect(try await book.access(of: Self.principal(1)).isAdministrator)
        // Disabled or deleted.
        roles.change { $0.administrators = [:] }
        let gone = try await book.access(of: Self.principal(1))
        #expect(gone == Access.none)
        #expect(book.statistics.entries == 0)
    }

    @Test(.timeLimit(.minutes(1))) func aReaderWhoRacesWithAChangeNeverLeavesAnOldRoleBehind() async throws {
        let roles = Roles()
        roles.change { $0.administrators = [UserID(2): false] }
        let book = AccessBook(roles)
        for round in 0..<200 {
            let role = Role.allCases[round % 4]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 { group.addTask { _ = try await book.access(of: Self.principal(2)) } }
                group.addTask { roles.change { $0.roles[UserID(2)] = [ProjectID(1): role] } }
                try await group.waitForAll()
            }
            #expect(try await book.access(of: Self.principal(2)).role(in: ProjectID(1)) == role)
        }
    }
}
