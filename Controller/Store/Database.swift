package import ControllerCore
import GRDB
import Logging
import Synchronization

/// Counters of committed changes. Apart from the database, so that the writer's queue need not hold that.
final class Stamps: Sendable {
    let runs = Atomic<UInt64>(0)
    let pipelines = Atomic<UInt64>(0)
    let agents = Atomic<UInt64>(0)
    let access = Atomic<UInt64>(0)
    let hooks = Atomic<UInt64>(0)
}

/// The controller's SQLite database. One connection does all writes and checkpoints; readers are read-only and never wait
/// for it. No other process opens the file while this one holds the directory.
///
/// Writes are not tied to the caller's task: a cancelled task does not roll back what it asked for.
package final class Database: Sendable {
    let pool: DatabasePool
    let logger: Logger
    /// Wall clock, in milliseconds since 1970.
    let now: @Sendable () -> Int64
    private let lock: DirectoryLock
    private let closed = Atomic<Bool>(false)

    let stamps = Stamps()
    let audit = AuditQueue()
    let waitingDeliveries = WaitingDeliveries()
    /// Of the engine's transactions, with their wait for the writer.
    package let commitTimes = LatencyHistogram()

    init(pool: DatabasePool, lock: DirectoryLock, logger: Logger, now: @escaping @Sendable () -> Int64) {
        self.pool = pool
        self.lock = lock
        self.logger = logger
        self.now = now
    }

    deinit { try? close() }

    /// Moves after every commit that wrote runs or what belongs to them. Whoever caches a read takes the number before
    /// the read: what is read is then at least as new.
    package var runsVersion: UInt64 { stamps.runs.load(ordering: .acquiring) }
    /// Moves after every change of a pipeline.
    package var pipelinesVersion: UInt64 { stamps.pipelines.load(ordering: .acquiring) }
    /// Moves after every change of an agent, by the engine or by enrolment.
    package var agentsVersion: UInt64 { stamps.agents.load(ordering: .acquiring) }
    /// Moves with each of the others.
    package var changeStamp: UInt64 { runsVersion &+ pipelinesVersion &+ agentsVersion }

    /// Closes all connections, then gives the directory free. Blocks until what runs has ended. Once is enough.
    package func close() throws {
        guard !closed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        defer { lock.release() }
        // The writer is closed before the readers, so that SQLite itself does not empty the write-ahead log. What can't be moved now
        // is found there at the next start.
        _ = try? pool.writeWithoutTransaction { try $0.checkpoint(.truncate) }
        try pool.close()
    }

    /// Runs `body` in one transaction on the writer. `body` must not hold the database: its last owner would then close
    /// the connections on their own queue.
    /// Where another process locks the database, this fails ``lockWait`` after it was asked for, however many wait in front of it.
    /// - Throws: what `body` throws; ``CommitFailure`` where SQLite says no.
    func write<Value: Sendable>(_ body: @escaping @Sendable (Connection) throws -> Value) async throws -> Value {
        let asked = ContinuousClock.now
        let result: Result<Value, any Error> = await withCheckedContinuation { continuation in
            pool.asyncWriteWithoutTransaction { db in
                let waited = asked.duration(to: .now)
                continuation.resume(
                    returning: Result {
                        try Self.waiting(Self.lockWait - waited, db) { try Self.transaction(db, body) }
                    })
            }
        }
        do {
            return try result.get()
        } catch let error as DatabaseError {
            throw CommitFailure(stopping: error)
        }
    }

    /// How long a transaction waits for another process that locks the database.
    static let lockWait = Duration.seconds(5)

    /// Runs `body` with less patience for locks than usual, where some of it was spent in the queue.
    private static func waiting<Value>(_ time: Duration, _ db: Connection, _ body: () throws -> Value) throws -> Value {
        guard time < lockWait - .milliseconds(100) else { return try body() }
        func set(_ time: Duration) throws {
            let (seconds, fraction) = time.components
            try db.execute(sql: "PRAGMA busy_timeout = \(max(0, seconds * 1000 + fraction / 1_000_000_000_000_000))")
        }
        try set(time)
        defer { try? set(lockWait) }
        return try body()
    }

    static func transaction<Value>(_ db: Connection, _ body: (Connection) throws -> Value) throws -> Value {
        var value: Value?
        try db.inTransaction(.immediate) {
            value = try body(db)
            return .commit
        }
        guard let value else { preconditionFailure("A committed transaction has a value.") }
        return value
    }

    /// Runs `body` in one read transaction: all that it reads is of one moment.
    func read<Value: Sendable>(_ body: @escaping @Sendable (Connection) throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            pool.asyncRead { db in
                continuation.resume(with: Result { try body(db.get()) })
            }
        }
    }
}
