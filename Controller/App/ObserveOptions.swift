import ArgumentParser
import ControllerCore
import ControllerHTTP

/// Limits on callers, and who may read answers from a browser.
struct ObserveOptions: ParsableArguments {
    @Option(help: "Requests a second that one user or API key may send, ten times as many at once; 0 for no limit.")
    var limitUser = 200

    @Option(
        help:
            "Requests a second that one address may send, loopback excepted, ten times as many at once; 0 for no limit."
    )
    var limitAddress = 200

    @Option(help: "Logins a minute that one address may try; 0 for no limit.")
    var limitLogin = 60

    @Option(help: "Webhook deliveries a second that are taken, five times as many at once; 0 for no limit.")
    var limitWebhook = 1_000

    @Option(
        name: .customLong("cors-origin"),
        help: "A site whose pages may call the API, e.g. https://tools.example.org; `*` for all; repeatable.")
    var corsOrigins: [String] = []

    @Option(help: "Room for each cache of answers, in MiB; 0 keeps none.")
    var cacheMib = 32

    func validate() throws {
        for (name, value) in [
            ("--limit-user", limitUser), ("--limit-address", limitAddress), ("--limit-login", limitLogin),
            ("--limit-webhook", limitWebhook),
        ] where !(0...1_000_000).contains(value) {
            throw ValidationError("\(name) is \(value); it must be from 0 to 1000000.")
        }
        guard (0...4096).contains(cacheMib) else {
            throw ValidationError("--cache-mib is \(cacheMib); it must be from 0 to 4096.")
        }
        for origin in corsOrigins where !Self.isOrigin(origin) {
            throw ValidationError(
                "--cors-origin is \(origin); it must be `*` or a scheme, a host and perhaps a port, with no path and no slash at its end, as https://tools.example.org."
            )
        }
    }

    private static func isOrigin(_ text: String) -> Bool {
        if text == "*" { return true }
        guard let scheme = ["https://", "http://"].first(where: { text.hasPrefix($0) }) else { return false }
        let host = text.dropFirst(scheme.count)
        return !host.isEmpty && host.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x2F && $0 != 0x2C }
    }

    var rateLimits: RateLimitSettings {
        var limits = RateLimitSettings()
        limits.user = Self.rule(limitUser, burst: 10)
        limits.key = limits.user
        limits.address = Self.rule(limitAddress, burst: 10)
        limits.login = RateRule(perSecond: Double(limitLogin) / 60, burst: Double(limitLogin))
        limits.webhook = Self.rule(limitWebhook, burst: 5)
        return limits
    }

    private static func rule(_ perSecond: Int, burst: Double) -> RateRule {
        RateRule(perSecond: Double(perSecond), burst: Double(perSecond) * burst)
    }
}
