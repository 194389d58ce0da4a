package import ControllerCore
import Synchronization

/// Requests by route and class of status, with how long they took.
final class RouteMetrics: Sendable {
    /// Upper bounds in microseconds.
    static let bounds: [Int64] = [500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 500_000, 2_500_000]

    struct Figures {
        /// By class: 1xx to 5xx.
        var byClass = [UInt64](repeating: 0, count: 5)
        var buckets = [UInt64](repeating: 0, count: RouteMetrics.bounds.count)
        var count: UInt64 = 0
        var microseconds: Int64 = 0
        /// Since they were last taken for the statistics.
        var recent = StatFigures()
    }

    let operations: [String]
    private let figures: [FiguresBox]

    init(_ operations: [String]) {
        self.operations = operations
        figures = operations.map { _ in FiguresBox() }
    }

    func note(_ route: Int, status: Int, microseconds: Int64) {
        figures[route].value.withLock { figures in
            figures.byClass[min(max(status / 100, 1), 5) - 1] += 1
            figures.count += 1
            figures.microseconds += microseconds
            let ending: StatFigures.Ending = status < 400 ? .success : status < 500 ? .cancelled : .failed
            figures.recent.add(ending, duration: microseconds, queue: nil)
            if let index = Self.bounds.firstIndex(where: { microseconds <= $0 }) { figures.buckets[index] += 1 }
        }
    }

    /// What was counted since the last time, by operation; it is counted anew from now on.
    func takeRecent() -> [StatKey: StatFigures] {
        var rows: [StatKey: StatFigures] = [:]
        for (operation, box) in zip(operations, figures) {
            let recent = box.value.withLock { figures in
                defer { figures.recent = StatFigures() }
                return figures.recent
            }
            if recent.total > 0 { rows[StatKey(.route, name: operation)] = recent }
        }
        return rows
    }

    func write(to text: inout PrometheusText) {
        let all = figures.map { $0.value.withLock { $0 } }
        text.family("ansflow_http_requests_total", "counter", "Requests by operation and class of status.")
        for (operation, figures) in zip(operations, all) {
            for (index, count) in figures.byClass.enumerated() where count > 0 {
                text.sample(
                    "ansflow_http_requests_total", [("operation", operation), ("class", "\(index + 1)xx")], "\(count)")
            }
        }
        text.family("ansflow_http_request_duration_seconds", "histogram", "How long requests took, by operation.")
        for (operation, figures) in zip(operations, all) where figures.count > 0 {
            var sum: UInt64 = 0
            for (bound, count) in zip(Self.bounds, figures.buckets) {
                sum += count
                text.sample(
                    "ansflow_http_request_duration_seconds_bucket",
                    [("operation", operation), ("le", "\(Double(bound) / 1_000_000)")], "\(sum)")
            }
            let name = "ansflow_http_request_duration_seconds"
            text.sample("\(name)_bucket", [("operation", operation), ("le", "+Inf")], "\(figures.count)")
            text.sample("\(name)_sum", [("operation", operation)], "\(Double(figures.microseconds) / 1_000_000)")
            text.sample("\(name)_count", [("operation", operation)], "\(figures.count)")
        }
    }
}

/// A mutex can't be an array's element; a reference to one can.
final class FiguresBox: Sendable {
    let value = Mutex(RouteMetrics.Figures())
}

/// Prometheus' text format, version 0.0.4.
package struct PrometheusText {
    package private(set) var text = ""

    package init() {}

    package mutating func family(_ name: String, _ type: String, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    package mutating func sample(_ name: String, _ labels: [(String, String)] = [], _ value: String) {
        text += name
        if !labels.isEmpty {
            let parts = labels.map { label in
                let escaped = label.1.map { character -> String in
                    switch character {
                    case "\\": "\\\\"
                    case "\"": "\\\""
                    case "\n": "\\n"
                    default: String(character)
                    }
                }
                return "\(label.0)=\"\(escaped.joined())\""
            }
            text += "{\(parts.joined(separator: ","))}"
        }
        text += " \(value)\n"
    }

    /// A family of one number.
    package mutating func gauge(_ name: String, _ help: String, _ value: some BinaryInteger, type: String = "gauge") {
        family(name, type, help)
        sample(name, [], "\(value)")
    }
}

extension LatencyHistogram {
    /// As a histogram in seconds.
    package func write(to text: inout PrometheusText, _ name: String, _ help: String) {
        let figures = figures
        text.family(name, "histogram", help)
        var sum: UInt64 = 0
        for (bound, count) in zip(Self.bounds, figures.buckets) {
            sum += count
            text.sample("\(name)_bucket", [("le", "\(Double(bound) / 1_000_000)")], "\(sum)")
        }
        text.sample("\(name)_bucket", [("le", "+Inf")], "\(figures.count)")
        text.sample("\(name)_sum", [], "\(Double(figures.microseconds) / 1_000_000)")
        text.sample("\(name)_count", [], "\(figures.count)")
    }
}
