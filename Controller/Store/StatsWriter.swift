import ControllerCore
import GRDB

/// Adds figures to the tables inside a transaction of the writer.
struct StatsWriter {
    private struct Place: Hashable {
        var span: StatSpan
        var key: StatKey
    }

    private var sums: [Place: StatFigures] = [:]

    mutating func add(
        _ keys: [StatKey], at: Int64, _ ending: StatFigures.Ending, duration: Int64?, queue: Int64?
    ) {
        for level in StatSpan.Level.allCases {
            let span = StatSpan(level, at: level.start(of: at))
            for key in keys {
                sums[Place(span: span, key: key), default: StatFigures()].add(ending, duration: duration, queue: queue)
            }
        }
    }

    mutating func add(_ key: StatKey, at: Int64, _ figures: StatFigures) {
        for level in StatSpan.Level.allCases {
            let span = StatSpan(level, at: level.start(of: at))
            sums[Place(span: span, key: key), default: StatFigures()].merge(figures)
        }
    }

    func write(_ db: Connection) throws {
        for (place, sum) in sums {
            let stored = try db.first(
                """
                SELECT success, failed, cancelled, skipped, durations, queues FROM stats
                WHERE scope = ? AND level = ? AND at = ? AND id = ? AND name = ?
                """, { Self.fill(&$0, place) }
            ) { try Self.figures(&$0) }
            var figures = stored ?? StatFigures()
            figures.merge(sum)
            try db.run(
                """
                INSERT OR REPLACE INTO stats
                    (scope, level, at, id, name, success, failed, cancelled, skipped, durations, queues)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
            ) {
                Self.fill(&$0, place)
                $0.add(figures.success)
                $0.add(figures.failed)
                $0.add(figures.cancelled)
                $0.add(figures.skipped)
                $0.add(figures.durations.bytes)
                $0.add(figures.queues.bytes)
            }
        }
    }

    private static func fill(_ arguments: inout Arguments, _ place: Place) {
        arguments.add(place.key.scope.rawValue)
        arguments.add(place.span.level.rawValue)
        arguments.add(place.span.at)
        arguments.add(place.key.id)
        arguments.add(place.key.name)
    }

    /// Counts and sketches, in the order in which all statements here name them.
    static func figures(_ columns: inout Columns) throws -> StatFigures {
        var figures = StatFigures()
        figures.success = columns.int64()
        figures.failed = columns.int64()
        figures.cancelled = columns.int64()
        figures.skipped = columns.int64()
        guard let durations = DurationSketch(bytes: columns.bytes()),
            let queues = DurationSketch(bytes: columns.bytes())
        else { throw StoreFailure.damaged("The statistics hold bytes that are no sketch. Restore a backup.") }
        figures.durations = durations
        figures.queues = queues
        return figures
    }
}
