import AnsFlowTransport
package import ControllerCore
import HTTPTypes
import Synchronization

/// How often the interface may be called, by whom.
package struct RateLimitSettings: Equatable, Sendable {
    /// By one address, with or without a token. Not for loopback: behind a proxy on the same host that is everybody.
    package var address = RateRule(perSecond: 200, burst: 2_000)
    /// By one user, over all sessions.
    package var user = RateRule(perSecond: 200, burst: 2_000)
    /// By one API key.
    package var key = RateRule(perSecond: 200, burst: 2_000)
    /// Logins and refreshes, by one address.
    package var login = RateRule(perSecond: 1, burst: 60)
    /// Deliveries to one address path of a webhook; above it forges are told to come again.
    package var webhook = RateRule(perSecond: 1_000, burst: 5_000)

    package init() {}

    /// Nobody is held to anything.
    package static let none: RateLimitSettings = {
        var settings = RateLimitSettings()
        (settings.address, settings.user, settings.key) = (.unlimited, .unlimited, .unlimited)
        (settings.login, settings.webhook) = (.unlimited, .unlimited)
        return settings
    }()
}

/// Holds callers to the limits.
final class RateLimits: Sendable {
    enum Kind: String, CaseIterable { case address, user, key, login, webhook }

    /// What an answer says of its caller's limit.
    struct Standing {
        var limit: Int
        var remaining: Int
        var reset: Int
    }

    private static let shards = 16
    private let settings: RateLimitSettings
    private let clock: ContinuousClock.Instant = .now
    private let tables: [[TableBox]]
    private let refusals = Mutex<[Kind: UInt64]>([:])

    init(_ settings: RateLimitSettings) {
        self.settings = settings
        tables = Kind.allCases.map { kind in
            let rule = settings.rule(kind)
            return (0..<Self.shards).map { _ in TableBox(TokenBuckets(rule, keysMax: 20_000 / Self.shards)) }
        }
    }

    /// - Throws: a 429 where `key` has had its share.
    @discardableResult
    func take(_ kind: Kind, _ key: String, at now: ContinuousClock.Instant) throws(Problem) -> Standing? {
        let rule = settings.rule(kind)
        if rule.isUnlimited { return nil }
        guard let row = Kind.allCases.firstIndex(of: kind) else { return nil }
        let box = tables[row][Int(UInt(bitPattern: key.hashValue) % UInt(Self.shards))]
        let elapsed = (now - clock).components
        let ms = elapsed.seconds * 1000 + elapsed.attoseconds / 1_000_000_000_000_000
        let verdict = box.table.withLock { $0.take(key, now: ms) }
        if verdict.isAllowed {
            return Standing(
                limit: Int(rule.burst), remaining: verdict.remaining,
                reset: Int(((rule.burst - Double(verdict.remaining)) / rule.perSecond).rounded(.up)))
        }
        refusals.withLock { $0[kind, default: 0] += 1 }
        var problem = Problem.tooMany(Self.text(kind, verdict.retryAfter), retryAfter: verdict.retryAfter)
        problem.limit = Int(rule.burst)
        throw problem
    }

    var refused: [Kind: UInt64] { refusals.withLock { $0 } }

    private static func text(_ kind: Kind, _ seconds: Int) -> String {
        let who =
            switch kind {
            case .address: "Your address has"
            case .user: "You have"
            case .key: "This API key has"
            case .login: "Your address has"
            case .webhook: "This webhook has"
            }
        let what = kind == .login ? "tried to log in" : "sent requests"
        return "\(who) \(what) too often. Try again in \(seconds) s."
    }

    /// The part of an address that one party holds: all of IPv4, the network of IPv6.
    static func addressKey(_ remote: String) -> String {
        guard let address = IPAddress(remote) else { return remote }
        return address.network.description
    }

    static func isLoopback(_ remote: String) -> Bool {
        remote.hasPrefix("127.") || remote == "::1" || remote.hasPrefix("::ffff:127.")
    }
}

extension RateLimitSettings {
    fileprivate func rule(_ kind: RateLimits.Kind) -> RateRule {
        switch kind {
        case .address: address
        case .user: user
        case .key: key
        case .login: login
        case .webhook: webhook
        }
    }
}

/// A mutex can't be an array's element; a reference to one can.
private final class TableBox: Sendable {
    let table: Mutex<TokenBuckets>
    init(_ table: TokenBuckets) { self.table = Mutex(table) }
}

extension HTTPField.Name {
    static let rateLimitLimit = Self("RateLimit-Limit")!
    static let rateLimitRemaining = Self("RateLimit-Remaining")!
    static let rateLimitReset = Self("RateLimit-Reset")!
}

extension RateLimits.Standing {
    func write(_ headers: inout HTTPFields) {
        headers[.rateLimitLimit] = String(limit)
        headers[.rateLimitRemaining] = String(remaining)
        headers[.rateLimitReset] = String(reset)
    }
}
