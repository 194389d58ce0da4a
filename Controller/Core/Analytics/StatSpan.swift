/// One row's time: hours, days, spans of 8 and of 64 days, each made of whole ones of the kind before, so that a year is put together
/// from about as many rows as a day.
package struct StatSpan: Hashable, Sendable {
    package enum Level: Int, Sendable, CaseIterable {
        case hour = 1
        case day = 24
        case octet = 192
        case block = 1536

        package var milliseconds: Int64 { Int64(rawValue) * 3_600_000 }
        /// How long rows of it are kept.
        package var keptMilliseconds: Int64 {
            switch self {
            case .hour: 10 * 86_400_000
            case .day: 400 * 86_400_000
            case .octet: 1_100 * 86_400_000
            case .block: 3_700 * 86_400_000
            }
        }

        /// The start of the span that holds `time`.
        package func start(of time: Int64) -> Int64 { max(0, time) / milliseconds * milliseconds }
    }

    package var level: Level
    /// Its start, ms since 1970.
    package var at: Int64

    package init(_ level: Level, at: Int64) {
        self.level = level
        self.at = at
    }

    /// The fewest spans that hold exactly the time from `from` until before `to`, both whole hours.
    package static func cover(from: Int64, to: Int64) -> [StatSpan] {
        var spans: [StatSpan] = []
        var at = Level.hour.start(of: from)
        while at < to {
            var level = Level.hour
            for wider in Level.allCases where wider.start(of: at) == at && at + wider.milliseconds <= to {
                level = wider
            }
            spans.append(StatSpan(level, at: at))
            at += level.milliseconds
        }
        return spans
    }
}

/// How far back figures go.
package enum StatWindow: String, Sendable, CaseIterable {
    case day = "24h"
    case week = "7d"
    case month = "30d"
    case quarter = "90d"
    case year = "365d"

    package var hours: Int64 {
        switch self {
        case .day: 24
        case .week: 7 * 24
        case .month: 30 * 24
        case .quarter: 90 * 24
        case .year: 365 * 24
        }
    }

    /// What a point of a trend covers.
    package var step: StatSpan.Level { self == .day || self == .week ? .hour : .day }

    package struct Range: Equatable, Sendable {
        /// The start of a step.
        package var from: Int64
        /// The end of the hour that holds now.
        package var to: Int64
        /// Far enough ahead that the widest spans can be used: nothing has ended after now.
        package var open: Int64
    }

    package func range(now: Int64) -> Range {
        let to = StatSpan.Level.hour.start(of: now) + StatSpan.Level.hour.milliseconds
        let from = max(0, step.start(of: to - hours * StatSpan.Level.hour.milliseconds))
        return Range(
            from: from, to: to, open: StatSpan.Level.block.start(of: now) + StatSpan.Level.block.milliseconds)
    }
}

/// A party with its figures.
package struct StatRow: Equatable, Sendable {
    package var key: StatKey
    /// Its name as it is now; empty where it is gone or has none.
    package var title: String
    package var figures: StatFigures

    package init(key: StatKey, title: String, figures: StatFigures) {
        self.key = key
        self.title = title
        self.figures = figures
    }
}

/// Figures of what has ended, from roll-up tables.
package protocol AnalyticsReading: Sendable {
    /// Of one party, over all of the time.
    func figures(_ key: StatKey, from: Int64, to: Int64) async throws -> StatFigures
    /// Of the busiest parties of a kind, busiest first. `ids` narrows to those; for steps they are pipelines.
    func busiest(_ scope: StatScope, ids: Set<Int64>?, from: Int64, to: Int64, limit: Int) async throws -> [StatRow]
    /// Of one party, by span; empty spans are there too.
    func trend(_ key: StatKey, step: StatSpan.Level, from: Int64, to: Int64) async throws -> [(
        at: Int64, figures: StatFigures
    )]
}

/// Keeps the tables.
package protocol AnalyticsKeeping: Sendable {
    /// Adds what has ended since the last time, each once whatever crashes; returns how much is left, 0 where all is in.
    func rollUp() async throws -> Int
    /// Adds figures that are counted in memory.
    func add(_ rows: [StatKey: StatFigures], at: Int64) async throws
    /// Removes rows that are too fine for their age.
    func prune(now: Int64) async throws
}
