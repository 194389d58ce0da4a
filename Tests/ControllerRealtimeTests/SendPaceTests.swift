import Testing

@testable import ControllerRealtime

/// Lines of a simulated length and speed: what is written waits in a queue that drains at a rate, and its pong comes back after that.
@Suite struct SendPaceTests {
    /// Writes pieces whenever the pace takes them, for so many seconds.
    ///
    /// - Returns: The longest queueing in the last half, in milliseconds, and how many bytes a second went through in it.
    private func drive(bytesPerSecond rate: Int, way: Int64, piece: Int, seconds: Int64) -> (queued: Int64, rate: Int64)
    {
        var pace = SendPace()
        /// Pongs that are under way: when they come, and their numbers.
        var pongs: [(at: Int64, id: UInt64)] = []
        var free: Int64 = 0
        var now: Int64 = 0
        var worst: Int64 = 0
        var through: Int64 = 0
        let end = seconds * 1_000_000_000
        if let id = pace.begin(at: now) { pongs.append((way, id)) }
        while now < end {
            while pace.isOpen {
                free = max(free, now) + Int64(piece) * 1_000_000_000 / Int64(rate)
                if now > end / 2 {
                    worst = max(worst, free - now)
                    through += Int64(piece)
                }
                if let id = pace.wrote(piece, at: now) { pongs.append((free + way, id)) }
            }
            guard !pongs.isEmpty else {
                Issue.record("it is closed, and no pong will open it")
                break
            }
            let pong = pongs.removeFirst()
            now = max(now, pong.at)
            let (isKnown, next) = pace.answered(pong.id, at: now)
            #expect(isKnown)
            if let next { pongs.append((max(free, now) + way, next)) }
        }
        return (worst / 1_000_000, through * 2 / seconds)
    }

    @Test(arguments: [
        (50_000, Int64(1)), (50_000, 40), (50_000, 300), (500_000, 20), (5_000_000, 20), (5_000_000, 100),
    ])
    func whatIsSaidNowIsNotLateAndTheLineIsUsed(rate: Int, wayMs: Int64) {
        let (queued, through) = drive(bytesPerSecond: rate, way: wayMs * 1_000_000, piece: 4000, seconds: 40)
        // A piece more than the window may be under way, and a delay is seen only after it has passed.
        #expect(queued < 900, "\(queued) ms")
        #expect(through > Int64(rate) * 8 / 10, "\(through) of \(rate) bytes a second")
    }

    @Test func aShortLineTakesWhatComes() {
        let (queued, through) = drive(bytesPerSecond: 500_000_000, way: 100_000, piece: 16_000, seconds: 2)
        #expect(queued < 20)
        #expect(through > 100_000_000)
    }

    @Test func pongsOfOthersAndOldOnesChangeNothing() throws {
        var pace = SendPace()
        let marks = [pace.wrote(100_000, at: 1), pace.wrote(100_000, at: 2)]
        let first = try #require(marks[0])
        let second = try #require(marks[1])
        let before = pace
        let others = pace.answered(99, at: 3)
        #expect(!others.known && others.next == nil && pace == before)
        let newest = pace.answered(second, at: 4)
        #expect(newest.known)
        // A pong may answer for those before it (RFC 6455, section 5.5.3).
        let late = pace.answered(first, at: 5)
        #expect(!late.known)
        #expect(pace.isOpen)
    }

    @Test func whoNeverAnswersIsSentNoMoreThanTheWindow() {
        var pace = SendPace()
        var sent = 0
        while pace.isOpen, sent < 10_000_000 {
            _ = pace.wrote(1000, at: Int64(sent))
            sent += 1000
        }
        #expect(sent == 263_000, "256 KiB and the piece that fills them")
    }
}
