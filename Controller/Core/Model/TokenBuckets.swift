/// How often something may be done: so many at once, and so many a second from then on.
package struct RateRule: Equatable, Sendable {
    /// 0 for no limit.
    package var perSecond: Double
    package var burst: Double

    package init(perSecond: Double, burst: Double) {
        self.perSecond = perSecond
        self.burst = burst
    }

    package static let unlimited = RateRule(perSecond: 0, burst: 0)
    package var isUnlimited: Bool { perSecond <= 0 }
}

/// A token bucket for each key, with a bound on how many keys are remembered. A pure value: the clock comes in.
package struct TokenBuckets: Sendable {
    private struct Bucket {
        var tokens: Double
        /// Milliseconds of a clock that never goes back.
        var at: Int64
    }

    package struct Verdict: Equatable, Sendable {
        package var isAllowed: Bool
        package var remaining: Int
        /// Seconds until one more is allowed, at least 1; 0 where it is allowed.
        package var retryAfter: Int
    }

    package let rule: RateRule
    private let keysMax: Int
    private var buckets: [String: Bucket] = [:]
    /// Of all for whom there is no room.
    private var rest: Bucket

    package init(_ rule: RateRule, keysMax: Int = 20_000) {
        self.rule = rule
        self.keysMax = keysMax
        rest = Bucket(tokens: rule.burst, at: 0)
    }

    package var count: Int { buckets.count }

    /// Takes a token of `key` where there is one.
    package mutating func take(_ key: String, now: Int64) -> Verdict {
        if rule.isUnlimited { return Verdict(isAllowed: true, remaining: .max, retryAfter: 0) }
        if let known = buckets[key] {
            var bucket = known
            defer { buckets[key] = bucket }
            return take(&bucket, now)
        }
        if buckets.count >= keysMax {
            // A full bucket says nothing that a new one would not.
            buckets = buckets.filter { filled($0.value, now) < rule.burst }
            // Where that frees nothing, newcomers share one: neither are the known forgotten nor memory grows.
            guard buckets.count < keysMax else { return take(&rest, now) }
        }
        var bucket = Bucket(tokens: rule.burst, at: now)
        defer { buckets[key] = bucket }
        return take(&bucket, now)
    }

    private func take(_ bucket: inout Bucket, _ now: Int64) -> Verdict {
        bucket.tokens = filled(bucket, now)
        bucket.at = now
        guard bucket.tokens >= 1 else {
            let wait = ((1 - bucket.tokens) / rule.perSecond).rounded(.up)
            return Verdict(isAllowed: false, remaining: 0, retryAfter: max(1, Int(min(wait, 86_400))))
        }
        bucket.tokens -= 1
        return Verdict(isAllowed: true, remaining: Int(bucket.tokens), retryAfter: 0)
    }

    private func filled(_ bucket: Bucket, _ now: Int64) -> Double {
        min(rule.burst, bucket.tokens + Double(max(0, now - bucket.at)) / 1000 * rule.perSecond)
    }
}
