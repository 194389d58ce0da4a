// When a time comes next. The rules around changes of the clocks:
//
// - Where the hours are restricted, as in `30 2 * * *`, each local time counts once. A local time that is skipped comes at the
//   first instant behind the gap; all that were skipped together come there together, once. A local time that is repeated comes
//   at its first occurrence.
// - Where every hour matches, as in `*/15 * * * *`, the expression means an interval: it goes by what the clocks show, also
//   while they repeat an hour, and nothing is made up for a gap. Otherwise such a schedule would rest for an hour in autumn.
extension CronExpression {
    /// The first slot behind an instant.
    ///
    /// - Parameters:
    ///   - instant: in milliseconds since 1970.
    ///   - zone: of the local times.
    /// - Returns: in milliseconds since 1970; whole seconds. `nil` where none comes within 400 years.
    /// - Complexity: days until the slot, each a few nanoseconds, and at most 1,600 times the cost of the zone's function.
    package func next(after instant: Int64, in zone: ZoneOffset) -> Int64? {
        let second = instant.flooredQuotient(by: 1_000)
        let found = everyHour ? nextInterval(after: second, zone) : nextLocalTime(after: second, zone)
        return found.map { $0 * 1_000 }
    }

    private var everyHour: Bool { hours == (1 << 24) - 1 }

    /// Days of a whole cycle of the calendar, after which weekdays and dates repeat.
    private static var cycleDays: Int64 { 146_097 }

    /// Local times to instants is monotone where each counts once, so the first one behind `second` is the next.
    private func nextLocalTime(after second: Int64, _ zone: ZoneOffset) -> Int64? {
        // A day early: a gap may have moved yesterday's times behind this instant.
        var day = CivilDay(number: zone.local(second).flooredQuotient(by: 86_400) - 1)
        let last = day.number + Self.cycleDays
        while day.number <= last {
            if matches(day: day) {
                for minute in minutesOfDay {
                    let instant = zone.instant(ofLocal: day.number * 86_400 + Int64(minute) * 60)
                    if instant > second { return instant }
                }
            }
            day = day.next
        }
        return nil
    }

    private func nextInterval(after second: Int64, _ zone: ZoneOffset) -> Int64? {
        var instant = wholeMinute(from: second + 1, zone)
        let last = instant + Self.cycleDays * 86_400
        while instant <= last {
            let local = zone.local(instant)
            let day = CivilDay(number: local.flooredQuotient(by: 86_400))
            if matches(day: day) {
                let minute = Int((local - day.number * 86_400) / 60)
                if minutes >> UInt64(minute % 60) & 1 == 1 { return instant }
                instant = wholeMinute(from: instant + 60, zone)
            } else {
                var later = day.next
                while !matches(day: later), later.number - day.number < Self.cycleDays { later = later.next }
                let midnight = zone.instant(ofLocal: later.number * 86_400)
                instant = wholeMinute(from: max(midnight, instant + 60), zone)
            }
        }
        return nil
    }

    /// The first instant, not before this one, at which local clocks show no seconds.
    private func wholeMinute(from instant: Int64, _ zone: ZoneOffset) -> Int64 {
        let over = zone.local(instant) - zone.local(instant).flooredQuotient(by: 60) * 60
        return over == 0 ? instant : instant + 60 - over
    }

    private var minutesOfDay: [Int] {
        (0..<24).filter { hours >> UInt64($0) & 1 == 1 }.flatMap { hour in
            (0..<60).filter { minutes >> UInt64($0) & 1 == 1 }.map { hour * 60 + $0 }
        }
    }
}

extension Int64 {
    func flooredQuotient(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
