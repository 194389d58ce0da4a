import ControllerCore
import Testing

@Suite struct TokenBucketsTests {
    @Test func aBurstThenARate() {
        var table = TokenBuckets(RateRule(perSecond: 10, burst: 5))
        for left in [4, 3, 2, 1, 0] { #expect(table.take("a", now: 0).remaining == left) }
        let refused = table.take("a", now: 0)
        #expect(!refused.isAllowed && refused.retryAfter == 1)
        #expect(table.take("b", now: 0).isAllowed)
        #expect(!table.take("a", now: 99).isAllowed)
        #expect(table.take("a", now: 200).isAllowed)
        #expect(table.take("a", now: 1_000_000).remaining == 4)
    }

    /// Over any stretch of time nobody gets more than the burst and the rate.
    @Test func noMoreThanTheRateIsEverAllowed() {
        var table = TokenBuckets(RateRule(perSecond: 100, burst: 50))
        var allowed = 0
        for now in 0..<10_000 { if table.take("a", now: Int64(now)).isAllowed { allowed += 1 } }
        #expect(allowed <= 50 + 1_000)
        #expect(allowed >= 1_000)
    }

    @Test func waitsAreTold() {
        var table = TokenBuckets(RateRule(perSecond: 1.0 / 60, burst: 1))
        #expect(table.take("a", now: 0).isAllowed)
        #expect([59, 60].contains(table.take("a", now: 1_000).retryAfter))
        #expect(!table.take("a", now: 58_000).isAllowed)
        #expect(table.take("a", now: 60_100).isAllowed)
    }

    @Test func strangersDoNotFillMemory() {
        var table = TokenBuckets(RateRule(perSecond: 1, burst: 3), keysMax: 100)
        for key in 0..<100 { _ = table.take("k\(key)", now: 0) }
        // All are in use: newcomers share one bucket, and those that are known keep theirs.
        let shared = (0..<10).map { table.take("new\($0)", now: 0).isAllowed }
        #expect(shared.filter { $0 }.count == 3)
        #expect(table.take("k7", now: 0).remaining == 1)
        #expect(table.count == 100)
        // After a while the old ones are full again, and there is room.
        #expect(table.take("later", now: 60_000).remaining == 2)
        #expect(table.count < 100)
    }

    @Test func noLimitIsNone() {
        var table = TokenBuckets(.unlimited)
        for _ in 0..<10_000 { #expect(table.take("a", now: 0).isAllowed) }
        #expect(table.count == 0)
    }

    @Test(arguments: [
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true),
        ("00-00000000000000000000000000000000-b7ad6b7169203331-01", false),
        ("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false),
        ("00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false),
        ("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false),
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0", false),
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-", false), ("", false),
    ])
    func onlyGoodTraceParentsAreTaken(_ text: String, _ isGood: Bool) {
        #expect(TraceParent.isValid(text) == isGood)
    }
}
