import Synchronization

/// What one connection's handlers and its requests share.
final class ConnectionContext: Sendable {
    /// The client's address, without its port.
    let remote: String
    private let refused = Mutex<Problem?>(nil)

    init(remote: String) {
        self.remote = remote
    }

    /// Why the connection's first request may not become a WebSocket; read once.
    func takeRefusal() -> Problem? {
        refused.withLock { refusal in
            defer { refusal = nil }
            return refusal
        }
    }

    func refuse(_ problem: Problem) { refused.withLock { $0 = problem } }
}
