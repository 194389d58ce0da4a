/// The lengths of life and limits of logins and tokens. Times are in milliseconds where not said otherwise.
package struct IdentityConfiguration: Sendable {
    package var accessTokenLifeMs: Int64 = 15 * 60_000
    package var refreshTokenLifeMs: Int64 = 30 * 24 * 3_600_000
    package var browserLifeMs: Int64 = 14 * 24 * 3_600_000
    /// A browser's session that is not used for so long has ended.
    package var browserIdleMs: Int64 = 12 * 3_600_000
    package var ticketLifeMs: Int64 = 30_000
    package var ticketsMax = 4096
    package var enrolmentTokenLifeMs: Int64 = 15 * 60_000
    package var password = PasswordCost()
    /// Hashes that run side by side, and logins that wait for one.
    package var hashesAtOnce = 2
    package var hashQueueMax = 16
    /// For how long a checked token is believed without another look at the database. Everything that ends a session
    /// within this process counts at once.
    package var authenticationCacheMs: Int64 = 4_000
    package var authenticationCacheMax = 8192
    /// Wrong passwords that cost nothing yet, by account and address, by address, and by account from everywhere.
    package var freeFailures = 5
    package var backoffMaxMs: Int64 = 60_000
    /// Spent refresh tokens that a session remembers.
    package var spentTokensMax = 64

    package init() {}
}

/// The cost of scrypt. The memory is 128 * `rounds` * `blockSize` bytes.
package struct PasswordCost: Equatable, Sendable {
    /// N, a power of two.
    package var rounds: Int
    package var blockSize: Int
    package var parallelism: Int

    package init(rounds: Int = 1 << 15, blockSize: Int = 8, parallelism: Int = 3) {
        self.rounds = rounds
        self.blockSize = blockSize
        self.parallelism = parallelism
    }
}

/// Wall clock in milliseconds since 1970, injected so that tests move it.
package typealias WallClock = @Sendable () -> Int64
