/// A day of the proleptic Gregorian calendar.
package struct CivilDay: Equatable, Hashable, Sendable {
    /// Days since 1970-01-01.
    package let number: Int64
    package let year: Int64
    /// From 1.
    package let month: Int
    /// From 1.
    package let day: Int

    /// From the count of days, by Howard Hinnant's `civil_from_days`.
    package init(number: Int64) {
        self.number = number
        let shifted = number + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let march = (5 * dayOfYear + 2) / 153
        month = Int(march < 10 ? march + 3 : march - 9)
        day = Int(dayOfYear - (153 * march + 2) / 5 + 1)
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// Sunday is 0.
    package var weekday: Int {
        let rest = (number + 4) % 7
        return Int(rest < 0 ? rest + 7 : rest)
    }

    package var next: CivilDay { CivilDay(number: number + 1) }
}
