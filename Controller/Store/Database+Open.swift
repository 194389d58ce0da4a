import ControllerCore
import Foundation
import GRDB
import Glibc
package import Logging

extension Database {
    /// Opens `<directory>/ansflow.db`, made where it is missing, and holds the directory. Blocks; call it once, at start.
    ///
    /// - Parameters:
    ///   - directory: made with mode 0700 where it is missing; its parent must exist.
    ///   - now: wall clock in milliseconds since 1970.
    /// - Throws: ``StoreFailure``.
    package static func open(
        directory: String, logger: Logger, now: @escaping @Sendable () -> Int64 = Database.wallClock
    ) throws -> Database {
        if mkdir(directory, 0o700) != 0, errno != EEXIST {
            throw StoreFailure.cannotOpen(
                "\(directory) can't be made: \(StoreFailure.reason(errno)). Check that its parent exists.")
        }
        let lock = try DirectoryLock(directory: directory)
        do {
            let path = directory + "/ansflow.db"
            try secure(path)
            let pool = try DatabasePool(path: path, configuration: configuration())
            try pool.writeWithoutTransaction { db in
                try harden(db)
                try Schema.migrate(db)
            }
            try report(pool, to: logger)
            return Database(pool: pool, lock: lock, logger: logger, now: now)
        } catch {
            lock.release()
            guard let error = error as? DatabaseError else { throw error }
            throw StoreFailure.cannotOpen(
                "\(directory)/ansflow.db can't be opened: \(error). Check its rights and the disk.")
        }
    }

    package static let wallClock: @Sendable () -> Int64 = {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// What is wrong with the file; empty where all is well. Reads all of it: run it in the background after start.
    package func quickCheck() async throws -> [String] {
        let lines = try await read { db in try String.fetchAll(db, sql: "PRAGMA quick_check(20)") }
        return lines == ["ok"] ? [] : lines
    }

    /// Moves the write-ahead log into the database and empties it, as far as readers allow.
    package func checkpoint() async throws {
        let result: Result<Void, any Error> = await withCheckedContinuation { continuation in
            pool.asyncWriteWithoutTransaction { db in
                continuation.resume(returning: Result { _ = try db.checkpoint(.truncate) })
            }
        }
        try result.get()
    }

    /// The file is the owner's alone before anything is in it; SQLite gives its side files the same rights.
    static func secure(_ path: String) throws {
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0, fchmod(descriptor, 0o600) == 0 else {
            let reason = errno
            if descriptor >= 0 { Glibc.close(descriptor) }
            throw StoreFailure.cannotOpen(
                "\(path) can't be opened: \(StoreFailure.reason(reason)). Check its owner and rights.")
        }
        Glibc.close(descriptor)
    }

    private static func configuration() -> Configuration {
        var configuration = Configuration()
        configuration.label = "ansflow"
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(TimeInterval(lockWait.components.seconds))
        configuration.maximumReaderCount = min(16, max(4, ProcessInfo.processInfo.activeProcessorCount))
        configuration.persistentReadOnlyConnections = true
        configuration.prepareDatabase { db in
            // GRDB opens the readers with a configuration of its own that says so.
            if db.configuration.readonly { try db.execute(sql: "PRAGMA query_only = 1") }
            try db.execute(sql: "PRAGMA trusted_schema = 0")
        }
        return configuration
    }

    /// After the pool is open: its own set-up leaves `synchronous` at NORMAL, which loses commits at power loss.
    private static func harden(_ db: Connection) throws {
        try db.execute(sql: "PRAGMA synchronous = FULL")
        try db.execute(sql: "PRAGMA wal_autocheckpoint = 4000")
        try db.execute(sql: "PRAGMA journal_size_limit = 67108864")
        let synchronous = try Int.fetchOne(db, sql: "PRAGMA synchronous")
        let journal = try String.fetchOne(db, sql: "PRAGMA journal_mode")
        let foreignKeys = try Int.fetchOne(db, sql: "PRAGMA foreign_keys")
        guard synchronous == 2, journal == "wal", foreignKeys == 1 else {
            throw StoreFailure.cannotOpen(
                "SQLite did not take its settings (synchronous \(synchronous ?? -1), journal \(journal ?? "none"), foreign keys \(foreignKeys ?? -1)). Put the data directory on a local disk."
            )
        }
    }

    private static func report(_ pool: DatabasePool, to logger: Logger) throws {
        let (version, instance, generation) = try pool.read { db in
            (
                try String.fetchOne(db, sql: "SELECT sqlite_version()") ?? "",
                try String.fetchOne(db, sql: "SELECT instance FROM meta") ?? "",
                try Int64.fetchOne(db, sql: "SELECT generation FROM meta") ?? 0
            )
        }
        logger.info(
            "database open",
            metadata: [
                "sqlite": "\(version)", "schema": "\(Schema.newest)", "instance": "\(instance)",
                "generation": "\(generation)",
            ])
    }
}
