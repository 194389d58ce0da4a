/// Times by the five fields of cron: minute, hour, day of the month, month, day of the week.
///
/// Each field is `*` or a list of values and ranges, each with an optional step: `*/15`, `1-5`, `mon-fri`, `0-30/10,45`.
/// Months and days of the week also go by their first three letters; Sunday is 0 and 7. Where both day fields are
/// restricted, a day that matches either counts, as in Vixie cron: a field is unrestricted where it begins with `*`.
/// `@hourly`, `@daily` (`@midnight`), `@weekly`, `@monthly` and `@yearly` (`@annually`) stand for their fields.
package struct CronExpression: Equatable, Hashable, Sendable {
    /// As it was written.
    package let text: String
    /// Bit n is set where n matches. Days of the week have Sunday as 0.
    let minutes: UInt64
    let hours: UInt64
    let days: UInt64
    let months: UInt64
    let weekdays: UInt64
    /// Whether a day must match in one field only: both are restricted.
    let daysAreAlternatives: Bool

    /// - Throws: ``Refusal`` with what is wrong and what is allowed.
    package init(_ text: String) throws(Refusal) {
        self.text = text
        guard text.utf8.count <= Self.bytesMax else {
            throw Refusal("The time is too long; at most \(Self.bytesMax) bytes are allowed.")
        }
        var fields = text.split(whereSeparator: { $0 == " " || $0 == "\t" }).map { $0.lowercased() }
        if let first = fields.first, first.hasPrefix("@") {
            guard fields.count == 1, let meaning = Self.shortcuts[first] else {
                throw Refusal(
                    "`\(text)` is not known. The short forms are @hourly, @daily, @midnight, @weekly, @monthly, @yearly "
                        + "and @annually; all other times have five fields.")
            }
            fields = meaning.split(separator: " ").map(String.init)
        }
        guard fields.count == 5 else {
            throw Refusal(
                "`\(text)` has \(fields.count) \(fields.count == 1 ? "field" : "fields"); it needs five: minute, hour, day of "
                    + "the month, month, day of the week, as in `30 2 * * *`.")
        }
        minutes = try CronField.minute.parse(fields[0])
        hours = try CronField.hour.parse(fields[1])
        days = try CronField.day.parse(fields[2])
        months = try CronField.month.parse(fields[3])
        let weekdays = try CronField.weekday.parse(fields[4])
        // Sunday is 7 too.
        self.weekdays = weekdays & 0x7F | (weekdays >> 7 & 1)
        daysAreAlternatives = !fields[2].hasPrefix("*") && !fields[4].hasPrefix("*")
        guard isPossible else {
            throw Refusal("`\(text)` never comes: none of its months has such a day.")
        }
    }

    /// Why a time is refused: a full sentence.
    package struct Refusal: Error, Equatable, Sendable, CustomStringConvertible {
        package let description: String

        init(_ description: String) {
            self.description = description
        }
    }

    package static let bytesMax = 256

    private static let shortcuts = [
        "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
        "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
    ]

    /// Whether some month has one of the days, so that a search for the next one always ends.
    private var isPossible: Bool {
        guard !daysAreAlternatives else { return true }
        let longest = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return longest.enumerated().contains { index, length in
            months >> UInt64(index + 1) & 1 == 1 && days & ((1 << UInt64(length + 1)) - 1) != 0
        }
    }

    func matches(day: CivilDay) -> Bool {
        guard months >> UInt64(day.month) & 1 == 1 else { return false }
        let byDay = days >> UInt64(day.day) & 1 == 1
        let byWeekday = weekdays >> UInt64(day.weekday) & 1 == 1
        return daysAreAlternatives ? byDay || byWeekday : byDay && byWeekday
    }

    /// Whether the local time matches. Minutes count from midnight.
    package func matches(day: CivilDay, minuteOfDay: Int) -> Bool {
        matches(day: day) && hours >> UInt64(minuteOfDay / 60) & 1 == 1 && minutes >> UInt64(minuteOfDay % 60) & 1 == 1
    }
}

extension CronExpression: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        do {
            try self.init(try container.decode(String.self))
        } catch let refusal as Refusal {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: refusal.description)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
