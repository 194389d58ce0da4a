import FoundationEssentials

/// Times and lengths of time as people read them.
package enum Durations {
    /// Milliseconds since 1970 of an RFC 3339 time; nil where it is none.
    package static func milliseconds(_ text: String?) -> Int64? {
        guard let text else { return nil }
        let fractional = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        if let date = (try? fractional.parse(text)) ?? (try? Date.ISO8601FormatStyle().parse(text)) {
            return Int64((date.timeIntervalSince1970 * 1000).rounded())
        }
        return nil
    }

    /// `0.4s`, `12.3s`, `4m 05s`, `2h 03m`.
    package static func text(ms: Int64) -> String {
        let clipped = max(0, ms)
        if clipped < 60_000 { return "\(clipped / 1000).\(clipped % 1000 / 100)s" }
        let seconds = clipped / 1000
        if seconds < 3600 { return "\(seconds / 60)m \(padded(seconds % 60))s" }
        return "\(seconds / 3600)h \(padded(seconds / 60 % 60))m"
    }

    /// From one time to another; empty where either is missing.
    package static func between(_ start: String?, _ end: String?) -> String {
        guard let start = milliseconds(start), let end = milliseconds(end) else { return "" }
        return text(ms: end - start)
    }

    /// A time without fraction and zone letter: `2026-05-01 12:00:03`.
    package static func short(_ text: String?) -> String {
        guard let text else { return "" }
        return String(text.prefix(19).map { $0 == "T" ? " " : $0 })
    }

    private static func padded(_ value: Int64) -> String {
        value < 10 ? "0\(value)" : "\(value)"
    }
}
