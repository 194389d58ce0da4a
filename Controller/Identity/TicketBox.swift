import ControllerCore

/// Open WebSocket tickets, by hash. A pure value.
struct TicketBox {
    private var open: [String: (principal: Principal, expiresAt: Int64)] = [:]
    private let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    /// False where too many are open.
    mutating func add(_ hash: String, _ principal: Principal, expiresAt: Int64, now: Int64) -> Bool {
        if open.count >= limit { open = open.filter { $0.value.expiresAt > now } }
        guard open.count < limit else { return false }
        open[hash] = (principal, expiresAt)
        return true
    }

    /// The owner; the second use gives nil.
    mutating func take(_ hash: String, now: Int64) -> Principal? {
        guard let ticket = open.removeValue(forKey: hash), ticket.expiresAt > now else { return nil }
        return ticket.principal
    }
}
