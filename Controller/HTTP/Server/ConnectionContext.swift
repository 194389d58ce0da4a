import Synchronization

/// What one connection's handlers and its requests share.
final class ConnectionContext: Sendable {
    /// The peer's address, without its port: the client's, or a proxy's.
    let remote: String
    /// Plain HTTP from elsewhere than this host and the trusted proxies: nothing is answered but that.
    let isStranger: Bool
    private let refused = Mutex<Problem?>(nil)

    init(remote: String, isTLS: Bool, proxies: TrustedProxies) {
        self.remote = remote
        isStranger = !isTLS && !proxies.isEmpty && !RateLimits.isLoopback(remote) && !proxies.contains(remote)
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
