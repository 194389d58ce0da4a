import NIOConcurrencyHelpers

/// A token bucket for each key, with a bound on how many keys are remembered.
package final class RateLimiter: Sendable {
    private struct Bucket {
        var tokens: Double
        var at: ContinuousClock.Instant
    }

    private let burst: Double
    private let refill: Duration
    private let keysMax: Int
    private let buckets = NIOLockedValueBox<[String: Bucket]>([:])

    /// - Parameters:
    ///   - burst: How many calls are free at once.
    ///   - refill: How long one more call takes to become free.
    package init(burst: Int, refill: Duration, keysMax: Int = 10_000) {
        self.burst = Double(burst)
        self.refill = refill
        self.keysMax = keysMax
    }

    /// Whether a call is free for `key` at `now`; takes it.
    package func allow(_ key: String, now: ContinuousClock.Instant = .now) -> Bool {
        buckets.withLockedValue { buckets in
            if buckets[key] == nil, buckets.count >= keysMax {
                // Full buckets say nothing; where that frees none, strangers wait.
                buckets = buckets.filter { filled($0.value, now) < burst }
                guard buckets.count < keysMax else { return false }
            }
            var bucket = buckets[key] ?? Bucket(tokens: burst, at: now)
            bucket.tokens = filled(bucket, now)
            bucket.at = now
            let allowed = bucket.tokens >= 1
            if allowed { bucket.tokens -= 1 }
            buckets[key] = bucket
            return allowed
        }
    }

    private func filled(_ bucket: Bucket, _ now: ContinuousClock.Instant) -> Double {
        min(burst, bucket.tokens + max(0, (now - bucket.at) / refill))
    }
}
