import ControllerCore

/// Tokens that were checked a moment ago. A pure value.
///
/// The key is the token's SHA-256, so that a memory dump of it holds no token.
struct AuthenticationCache {
    struct Entry {
        var principal: Principal
        /// Until when it is believed.
        var until: Int64
    }

    private var byToken: [String: Entry] = [:]
    private var valid: [Principal.Kind: Int64] = [:]
    private let limit: Int
    private(set) var hits: UInt64 = 0
    private(set) var misses: UInt64 = 0
    private(set) var evictions: UInt64 = 0

    init(limit: Int) {
        self.limit = limit
    }

    mutating func principal(_ tokenHash: String, now: Int64) -> Principal? {
        guard let entry = byToken[tokenHash], entry.until > now else {
            misses += 1
            return nil
        }
        hits += 1
        return entry.principal
    }

    func isValid(_ kind: Principal.Kind, now: Int64) -> Bool { (valid[kind] ?? 0) > now }

    mutating func insert(_ tokenHash: String, _ principal: Principal, until: Int64) {
        if byToken.count >= limit {
            evictions += UInt64(byToken.count)
            byToken = [:]
        }
        byToken[tokenHash] = Entry(principal: principal, until: until)
        insert(principal.kind, until: until)
    }

    mutating func insert(_ kind: Principal.Kind, until: Int64) {
        if valid.count >= limit { valid = [:] }
        valid[kind] = until
    }

    var count: Int { byToken.count }

    mutating func clear() {
        byToken = [:]
        valid = [:]
    }

    mutating func forget(_ kind: Principal.Kind) {
        byToken = byToken.filter { $0.value.principal.kind != kind }
        valid[kind] = nil
    }
}
