/// How long, for sentences.
enum TimeWords {
    /// `1h 30m`, `45s`, `7d`; the two largest parts.
    static func words(_ ms: UInt64) -> String {
        if ms < 1_000 { return "\(ms)ms" }
        var seconds = ms / 1_000
        var parts: [String] = []
        for (unit, size) in [("d", UInt64(86_400)), ("h", 3_600), ("m", 60), ("s", 1)] where parts.count < 2 {
            let count = seconds / size
            seconds %= size
            if count > 0 { parts.append("\(count)\(unit)") } else if !parts.isEmpty { break }
        }
        return parts.joined(separator: " ")
    }
}
