/// Slows down guessing. A pure value: the clock comes in.
///
/// Three counters are kept: of an address, of an account at an address, and none of an account alone, so strangers can't lock
/// an administrator out who comes from elsewhere.
struct LoginBackoff {
    private struct Entry {
        var failures: Int
        var blockedUntil: Int64
        var last: Int64
    }

    private let free: Int
    private let waitMaxMs: Int64
    private let entriesMax: Int
    private var entries: [String: Entry] = [:]

    init(free: Int, waitMaxMs: Int64, entriesMax: Int = 10_000) {
        self.free = free
        self.waitMaxMs = waitMaxMs
        self.entriesMax = entriesMax
    }

    /// Milliseconds until `account` may try again from `address`; nil where it may now.
    func wait(account: String, address: String, now: Int64) -> Int64? {
        let until = keys(account, address).compactMap { entries[$0.key]?.blockedUntil }.max() ?? 0
        return until > now ? until - now : nil
    }

    /// Counts a try before its password is checked, so that tries side by side are counted too.
    mutating func began(account: String, address: String, now: Int64) {
        for (key, allowance) in keys(account, address) {
            var entry = entries[key] ?? Entry(failures: 0, blockedUntil: 0, last: now)
            // A quiet quarter of an hour forgives all.
            if now - entry.last > 900_000 { entry.failures = 0 }
            entry.failures += 1
            entry.last = now
            let beyond = entry.failures - allowance
            if beyond > 0 { entry.blockedUntil = now + min(waitMaxMs, 1000 << Int64(min(beyond - 1, 16))) }
            entries[key] = entry
        }
        if entries.count > entriesMax { shrink() }
    }

    mutating func succeeded(account: String, address: String) {
        for (key, _) in keys(account, address) { entries[key] = nil }
    }

    /// An address may fail more often than one account at it: many people can share one.
    private func keys(_ account: String, _ address: String) -> [(key: String, allowance: Int)] {
        [("\(address.utf8.count):\(address)\(account)", free), ("@\(address)", free * 4)]
    }

    /// Forgets the older half.
    private mutating func shrink() {
        let oldest = entries.sorted { $0.value.last < $1.value.last }.prefix(entries.count / 2)
        for (key, _) in oldest { entries[key] = nil }
    }
}
