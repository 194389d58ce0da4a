package import ControllerCore
import Synchronization

extension SessionService: ReportedCache {
    /// A hash of 64 digits, a principal with its name and scopes, and what two dictionaries take.
    private static let entryBytes = 512

    package var statistics: CacheStatistics {
        let cache = state.withLock { $0.cache }
        var statistics = CacheStatistics(name: "sessions")
        statistics.hits = cache.hits
        statistics.misses = cache.misses
        statistics.evictions = cache.evictions
        statistics.entries = cache.count
        statistics.bytes = cache.count * Self.entryBytes
        statistics.bytesMax = configuration.authenticationCacheMax * Self.entryBytes
        return statistics
    }

    package func clear() { state.withLock { $0.cache.clear() } }
}
