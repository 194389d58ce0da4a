import Testing

@testable import ControllerCore

@Suite struct DurationSketchTests {
    /// SplitMix64 (Steele, Lea, Flood 2014).
    private struct Seeded: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    private static func values(_ count: Int, seed: UInt64) -> [Int64] {
        var random = Seeded(state: seed)
        return (0..<count).map { _ in
            // Spread over all sizes from 1 ms to weeks.
            Int64.random(in: 0...(1 << Int64.random(in: 0...31, using: &random)), using: &random)
        }
    }

    @Test(arguments: [1, 2, 7, 100, 5_000])
    func quantilesAreRightToTwoPercent(_ count: Int) {
        let values = Self.values(count, seed: UInt64(count))
        var sketch = DurationSketch()
        for value in values { sketch.add(value) }
        let sorted = values.sorted()
        for q in [0.0, 0.01, 0.25, 0.5, 0.9, 0.95, 0.999, 1.0] {
            let rank = max(1, min(count, Int((q * Double(count)).rounded(.up))))
            let exact = Double(sorted[rank - 1])
            let got = Double(sketch.quantile(q) ?? -1)
            #expect(abs(got - exact) <= max(0.5, exact * 0.0201), "q \(q): \(got) for \(exact)")
        }
        #expect(sketch.mean == values.reduce(0, +) / Int64(count))
    }

    @Test func twoAddUpToBoth() {
        let (left, right) = (Self.values(300, seed: 1), Self.values(500, seed: 2))
        var (one, two, both) = (DurationSketch(), DurationSketch(), DurationSketch())
        for value in left { one.add(value) }
        for value in right { two.add(value) }
        for value in left + right { both.add(value) }
        one.merge(two)
        #expect(one == both)
    }

    @Test func bytesGiveItBack() {
        for count in [0, 1, 50, 3_000] {
            var sketch = DurationSketch()
            for value in Self.values(count, seed: 9) { sketch.add(value) }
            #expect(DurationSketch(bytes: sketch.bytes) == sketch)
        }
        #expect(DurationSketch(bytes: [])?.count == 0)
    }

    @Test func whatIsNoSketchIsRefused() {
        #expect(DurationSketch(bytes: [0x80]) == nil)
        #expect(DurationSketch(bytes: [1, 1]) == nil)
        #expect(DurationSketch(bytes: [1] + [UInt8](repeating: 0xFF, count: 11)) == nil)
        #expect(DurationSketch(bytes: [1, 0xFF, 0x7F, 1]) == nil)
    }

    @Test func greatestAndLeastAreTaken() {
        var sketch = DurationSketch()
        sketch.add(-5)
        sketch.add(Int64.max)
        #expect(sketch.quantile(0) == 0)
        #expect((sketch.quantile(1) ?? 0) > 90_000_000_000)
    }
}

@Suite struct StatSpanTests {
    private let hour: Int64 = 3_600_000

    /// Whatever the bounds, the spans lie one behind the other and hold exactly the time.
    @Test func spansCoverExactly() {
        for (start, hours) in [(0, 1), (5, 24), (23, 26), (1_000, 24 * 90), (7_777, 24 * 365), (123, 24 * 400)] {
            let (from, to) = (Int64(start) * hour, Int64(start + hours) * hour)
            let spans = StatSpan.cover(from: from, to: to)
            var at = from
            for span in spans {
                #expect(span.at == at && span.level.start(of: at) == at)
                at += span.level.milliseconds
            }
            #expect(at == to)
        }
    }

    @Test func aYearTakesNoMoreRowsThanADay() {
        for offset in 0..<2_000 {
            let now = 1_800_000_000_000 + Int64(offset) * hour
            for window in StatWindow.allCases {
                let range = window.range(now: now)
                let rows = StatSpan.cover(from: range.from, to: range.open).count
                // Hours until midnight, then days and wider spans.
                #expect(rows <= (window.step == .hour ? 24 + 7 + 7 + 1 : 7 + 7 + 6))
                #expect(range.to > now && range.to - now <= hour && range.open >= range.to)
            }
        }
    }
}
