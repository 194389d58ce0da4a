/// A time zone as one function, so that the core needs no database of zones.
package struct ZoneOffset: Sendable {
    /// What local clocks are ahead of UTC at an instant, in seconds. The instant is in seconds since 1970.
    package let seconds: @Sendable (Int64) -> Int

    package init(_ seconds: @escaping @Sendable (Int64) -> Int) {
        self.seconds = seconds
    }

    package static let utc = ZoneOffset { _ in 0 }

    /// What local clocks show at an instant, counted as if it were UTC.
    func local(_ instant: Int64) -> Int64 { instant + Int64(seconds(instant)) }

    /// The first instant at which local clocks show a time; where they skip it, the first instant behind the gap.
    ///
    /// - Parameter local: in seconds, counted as if it were UTC.
    /// - Note: At most one change of the offset is expected within the 28 hours around.
    func instant(ofLocal local: Int64) -> Int64 {
        // Offsets lie between -12 and +14 hours, so the instant lies between these two.
        var before = local - 15 * 3_600
        var after = local + 13 * 3_600
        let early = local - Int64(seconds(before))
        let late = local - Int64(seconds(after))
        if early == late { return early }
        let isEarly = self.local(early) == local
        let isLate = self.local(late) == local
        if isEarly || isLate { return isEarly && isLate ? min(early, late) : isEarly ? early : late }
        // Skipped: the change itself, by bisection.
        let old = seconds(before)
        while after - before > 1 {
            let middle = before + (after - before) / 2
            if seconds(middle) == old { before = middle } else { after = middle }
        }
        return after
    }
}
