/// One of cron's five fields.
struct CronField {
    let title: String
    let range: ClosedRange<Int>
    /// Names of the values, the first for the range's lower bound.
    var names: [String] = []

    static let minute = CronField(title: "minute", range: 0...59)
    static let hour = CronField(title: "hour", range: 0...23)
    static let day = CronField(title: "day of the month", range: 1...31)
    static let month = CronField(
        title: "month", range: 1...12,
        names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"])
    static let weekday = CronField(
        title: "day of the week", range: 0...7, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"])

    /// - Returns: bit n is set where n matches; never 0.
    func parse(_ field: String) throws(CronExpression.Refusal) -> UInt64 {
        var bits: UInt64 = 0
        for part in field.split(separator: ",", omittingEmptySubsequences: false) {
            bits |= try parse(part: part, of: field)
        }
        return bits
    }

    private func parse(part: Substring, of field: String) throws(CronExpression.Refusal) -> UInt64 {
        let halves = part.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(halves.count), !part.isEmpty else { throw wrong(field) }
        var step = 1
        if halves.count == 2 {
            guard let number = Self.number(halves[1]), number >= 1, number <= range.upperBound else {
                throw CronExpression.Refusal(
                    "The \(title) `\(field)` has the step `\(halves[1])`; a step is a number from 1 to \(range.upperBound)."
                )
            }
            step = number
        }
        let bounds = halves[0].split(separator: "-", omittingEmptySubsequences: false)
        let (from, to): (Int, Int)
        if halves[0] == "*" {
            // 7 is Sunday again: with a step it would be counted twice.
            (from, to) = (range.lowerBound, range.upperBound == 7 ? 6 : range.upperBound)
        } else if bounds.count == 2 {
            (from, to) = (try value(bounds[0], of: field), try value(bounds[1], of: field))
        } else if bounds.count == 1, let single = bounds.first {
            from = try value(single, of: field)
            to = halves.count == 2 ? range.upperBound : from
        } else {
            throw wrong(field)
        }
        guard from <= to else {
            throw CronExpression.Refusal(
                "The \(title) `\(field)` has a range that runs backwards; write it as two, as in `22-23,0-5`.")
        }
        return stride(from: from, through: to, by: step).reduce(0) { $0 | 1 << UInt64($1) }
    }

    private func value(_ text: Substring, of field: String) throws(CronExpression.Refusal) -> Int {
        if let index = names.firstIndex(of: String(text)) { return index + range.lowerBound }
        guard let number = Self.number(text), range.contains(number) else { throw wrong(field) }
        return number
    }

    private static func number(_ text: Substring) -> Int? {
        guard (1...2).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int(text)
    }

    private func wrong(_ field: String) -> CronExpression.Refusal {
        let named = names.isEmpty ? "" : ", or \(names.joined(separator: ", "))"
        return CronExpression.Refusal(
            "The \(title) `\(field)` is not understood. It takes `*`, numbers from \(range.lowerBound) to "
                + "\(range.upperBound)\(named), ranges, lists and steps, as in `1-5`, `1,15` and `*/10`.")
    }
}
