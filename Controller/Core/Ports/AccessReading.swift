/// Says what a caller may do now. On the path of every request: answers come from memory but for the first after a change.
package protocol AccessReading: Sendable {
    /// As of a commit that is no older than the call.
    func access(of principal: Principal) async throws -> Access
    /// Moves with each commit that changes users, members or the state of projects.
    var accessVersion: UInt64 { get }
}

/// Where roles are kept.
package protocol AccessRepository: Sendable {
    /// Moves after every commit that changes users, logins that were ended, keys that were deleted, members or the state of projects.
    /// Whoever caches a read takes the number before the read: what is read is then at least as new.
    var accessVersion: UInt64 { get }
    func roles(of user: UserID) async throws -> [ProjectID: Role]
    func projectStates() async throws -> [ProjectID: ProjectState]
    /// Nil for a user who does not exist or is disabled.
    func isAdministrator(_ user: UserID) async throws -> Bool?
}
