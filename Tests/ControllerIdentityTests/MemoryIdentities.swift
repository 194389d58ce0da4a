import AnsFlowProtocol
import ControllerCore
import Synchronization

/// Users, sessions and keys in memory.
final class MemoryIdentities: IdentityRepository {
    struct State {
        var users: [UserRow] = []
        var sessions: [LoginSessionRow] = []
        var keys: [APIKeyRow] = []
        var touches = 0
    }

    let state = Mutex(State())

    func userCount() async throws -> Int { state.withLock { $0.users.count } }
    func user(named name: String) async throws -> UserRow? {
        state.withLock { $0.users.first { $0.name == name } }
    }
    func user(_ id: UserID) async throws -> UserRow? { state.withLock { $0.users.first { $0.id == id } } }
    func addUser(_ row: UserRow) async throws -> UserRow {
        state.withLock { state in
            var row = row
            row.id = UserID(rawValue: Int64(state.users.count + 1))
            state.users.append(row)
            return row
        }
    }
    func setPasswordHash(_ hash: String, of user: UserID) async throws {
        state.withLock { state in
            for index in state.users.indices where state.users[index].id == user {
                state.users[index].passwordHash = hash
            }
        }
    }
    func disable(_ user: UserID) {
        state.withLock { state in
            for index in state.users.indices where state.users[index].id == user { state.users[index].disabled = true }
        }
    }

    func addSession(_ row: LoginSessionRow) async throws -> LoginSessionRow {
        state.withLock { state in
            var row = row
            row.id = Int64(state.sessions.count + 1)
            state.sessions.append(row)
            return row
        }
    }
    func session(_ id: Int64) async throws -> LoginSessionRow? {
        state.withLock { $0.sessions.first { $0.id == id } }
    }
    func session(refreshHash: String) async throws -> LoginSessionRow? {
        state.withLock { state in
            state.sessions.first { $0.refreshHash == refreshHash || $0.spentHashes.contains(refreshHash) }
        }
    }
    func updateSession(_ row: LoginSessionRow) async throws {
        state.withLock { state in
            for index in state.sessions.indices where state.sessions[index].id == row.id {
                state.sessions[index] = row
            }
        }
    }
    func revokeSessions(of user: UserID) async throws {
        state.withLock { state in
            for index in state.sessions.indices where state.sessions[index].user == user {
                state.sessions[index].revoked = true
            }
        }
    }

    var accessVersion: UInt64 { 0 }
    func touchSession(_ id: Int64, at: Int64) async throws {
        state.withLock { state in
            for index in state.sessions.indices where state.sessions[index].id == id {
                state.sessions[index].lastUsedAt = max(at, state.sessions[index].lastUsedAt)
            }
        }
    }

    func addAPIKey(_ row: APIKeyRow) async throws -> APIKeyRow {
        state.withLock { state in
            var row = row
            row.id = Int64(state.keys.count + 1)
            state.keys.append(row)
            return row
        }
    }
    func apiKey(hash: String) async throws -> APIKeyRow? { state.withLock { $0.keys.first { $0.hash == hash } } }
    func apiKeys(of user: UserID) async throws -> [APIKeyRow] {
        state.withLock { $0.keys.filter { $0.user == user } }
    }
    func deleteAPIKey(_ id: Int64, of user: UserID) async throws -> Bool {
        state.withLock { state in
            let before = state.keys.count
            state.keys.removeAll { $0.id == id && $0.user == user }
            return state.keys.count < before
        }
    }
    func touchAPIKey(_ id: Int64, at: Int64) async throws { state.withLock { $0.touches += 1 } }
}

/// A wall clock that tests move.
final class ManualClock: Sendable {
    private let milliseconds = Mutex<Int64>(1_800_000_000_000)
    var now: Int64 { milliseconds.withLock { $0 } }
    func advance(_ by: Int64) { milliseconds.withLock { $0 += by } }
}
