/// How much may be under way to one viewer, so that what is said now is not late behind what was said before.
///
/// The kernels of both ends hold megabytes, which no message can overtake. So what was written is marked with WebSocket pings
/// (RFC 6455, section 5.5.2): their pongs come behind it and say how much has arrived and how long that took. The window is what
/// arrives within ``target`` of queueing; the smallest delay that was seen is the way itself and counts for nothing. It is the idea of
/// LEDBAT (RFC 6817) with bytes of messages in place of packets.
///
/// Pure: time comes in as nanoseconds of any steady clock.
package struct SendPace: Equatable, Sendable {
    /// What may wait before it, in nanoseconds.
    package static let target: Int64 = 400_000_000
    package static let windowMin = 16 * 1024
    package static let windowMax = 1024 * 1024
    static let windowFirst = 256 * 1024

    private struct Mark: Equatable {
        var id: UInt64
        /// Everything that had been written when it was.
        var written: Int
        /// What was under way then.
        var underWay: Int
        var at: Int64
    }

    package private(set) var window = windowFirst
    private var written = 0
    private var arrived = 0
    /// Written when the newest mark was.
    private var marked = 0
    private var marks: [Mark] = []
    private var lastID: UInt64 = 0
    private var fastest = Int64.max

    package init() {}

    /// Whether more may be written.
    package var isOpen: Bool { written - arrived < window }

    /// Before the first byte: an empty way shows how long it is.
    ///
    /// - Returns: The number of the first ping; nil where it has been sent.
    package mutating func begin(at now: Int64) -> UInt64? {
        guard lastID == 0 else { return nil }
        return mark(at: now, isDue: true)
    }

    /// Bytes were written.
    ///
    /// - Returns: The number of the ping that goes behind them, where one is due.
    package mutating func wrote(_ bytes: Int, at now: Int64) -> UInt64? {
        written += bytes
        return mark(at: now)
    }

    /// A pong with the number of a ping came.
    ///
    /// - Returns: Whether it answers one that was sent, and the number of a ping that is due now.
    package mutating func answered(_ id: UInt64, at now: Int64) -> (known: Bool, next: UInt64?) {
        guard let index = marks.firstIndex(where: { $0.id == id }) else { return (false, nil) }
        let mark = marks[index]
        marks.removeSubrange(...index)
        arrived = mark.written
        let delay = max(now - mark.at, 1)
        fastest = min(fastest, delay)
        // As fast as this went, so much arrives in the time that it may take.
        let fits = Double(mark.underWay) * Double(fastest + Self.target) / Double(delay)
        let grown = min(fits, Double(2 * window))
        // What was far from full says nothing against the window.
        if fits < Double(window) || mark.underWay * 4 >= window {
            window = min(max(Int(grown), Self.windowMin), Self.windowMax)
        }
        return (true, self.mark(at: now))
    }

    /// A mark for each quarter of a window, and one whenever the window is full: its pong opens it.
    private mutating func mark(at now: Int64) -> UInt64? {
        mark(at: now, isDue: written - marked >= window / 4 || (!isOpen && marks.isEmpty))
    }

    private mutating func mark(at now: Int64, isDue: Bool) -> UInt64? {
        guard isDue else { return nil }
        lastID += 1
        marked = written
        marks.append(Mark(id: lastID, written: written, underWay: written - arrived, at: now))
        return lastID
    }
}
