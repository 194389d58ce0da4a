import AgentLink
import Testing

struct BackoffTests {
    @Test func theFirstWaitIsShortThenTheBoundDoubles() {
        var backoff = Backoff()
        let most = (0..<8).map { _ in backoff.next(random: 0.999_999) }
        let bounds: [Double] = [2, 4, 8, 16, 30, 30, 30, 30]
        for (wait, bound) in zip(most, bounds) {
            #expect(wait <= .seconds(bound) && wait > .seconds(bound) - .milliseconds(10), "\(wait)")
        }
    }

    @Test func theLeastIsHalfASecondFromTheSecondOn() {
        var backoff = Backoff()
        #expect(backoff.next(random: 0) == .zero)
        for _ in 0..<5 { #expect(backoff.next(random: 0) == .milliseconds(500)) }
    }

    @Test func aGoodLinkBeginsAnew() {
        var backoff = Backoff()
        for _ in 0..<100 { _ = backoff.next(random: 0.5) }
        #expect(backoff.next(random: 0.999) <= .seconds(30))
        backoff.reset()
        #expect(backoff.next(random: 0.999) <= .seconds(2))
    }
}
