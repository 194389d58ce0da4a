import ControllerCore
import TestSupport
import Testing

@Suite struct VersionedCacheTests {
    private func cache(_ bytes: Int = 1000) -> VersionedCache<String, Int> {
        VersionedCache(name: "test", bytesMax: bytes)
    }

    @Test func aValueIsServedAtItsVersionOnly() {
        let cache = cache()
        #expect(cache.value("a", version: 1) { (1, 10) } == 1)
        #expect(cache.value("a", version: 1) { (2, 10) } == 1)
        #expect(cache.value("a", version: 2) { (3, 10) } == 3)
        #expect(cache.kept("a", version: 1) == nil)
        #expect(cache.statistics.hits == 1)
    }

    @Test func aSlowMakerDoesNotOverwriteANewerValue() {
        let cache = cache()
        _ = cache.value("a", version: 2) { (2, 10) }
        _ = cache.value("a", version: 1) { (1, 10) }
        #expect(cache.kept("a", version: 2) == 2)
    }

    @Test func whatWasUsedLongestAgoGoes() {
        let cache = cache(100)
        for key in 0..<10 { _ = cache.value("\(key)", version: 1) { (key, 10) } }
        for key in [0, 1, 2] { #expect(cache.kept("\(key)", version: 1) == key) }
        _ = cache.value("new", version: 1) { (99, 10) }
        let statistics = cache.statistics
        #expect(statistics.bytes <= 100 && statistics.evictions >= 3)
        for key in [0, 1, 2] { #expect(cache.kept("\(key)", version: 1) == key) }
        #expect(cache.kept("3", version: 1) == nil)
        cache.clear()
        #expect(cache.statistics.entries == 0 && cache.statistics.bytes == 0)
        #expect(cache.kept("0", version: 1) == nil)
    }

    @Test func whatIsTooLargeIsNotKept() {
        let cache = cache(100)
        #expect(cache.value("a", version: 1) { (1, 26) } == 1)
        #expect(cache.statistics.entries == 0)
        let none = self.cache(0)
        _ = none.value("a", version: 1) { (1, 1) }
        #expect(none.kept("a", version: 1) == nil)
    }

    private struct Broken: Error {}

    /// A hundred at once read once; where that fails, each tries for itself.
    @Test func severalAtOnceShareOneMaking() async throws {
        for fails in [false, true] {
            let cache = cache()
            let made = Tally()
            let gate = AsyncStream<Void>.makeStream()
            let values = await withTaskGroup(of: Int?.self) { group in
                for _ in 0..<100 {
                    group.addTask {
                        try? await cache.value("a", version: 1) {
                            let number = made.add()
                            if number == 1 { for await _ in gate.stream {} }
                            if fails, number == 1 { throw Broken() }
                            return (7, 10)
                        }
                    }
                }
                group.addTask {
                    while made.count == 0 { await Task.yield() }
                    gate.continuation.finish()
                    return nil
                }
                return await group.reduce(into: [Int?]()) { $0.append($1) }
            }
            #expect(values.compactMap { $0 }.count == (fails ? 99 : 100))
            if !fails { #expect(made.count == 1) }
        }
    }
}
