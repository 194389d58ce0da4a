import ControllerCore
import Crypto
import GRDB
import Synchronization

/// Appends to the audit log inside a transaction of the writer.
enum AuditWriter {
    static let columns = """
        id, at, actor, name, actor_id, key, operation, object_type, object_id, project, result, status, fields, detail,
        remote, request, hash
        """

    static func append(_ entries: [AuditEntry], _ db: Connection) throws {
        guard !entries.isEmpty else { return }
        let stored = try db.first("SELECT id, hash FROM audit_head WHERE one = 1") { ($0.int64(), $0.bytes()) }
        guard let head = stored else {
            throw StoreFailure.damaged("The audit log's head is missing. Restore a backup.")
        }
        var (id, hash) = head
        for entry in entries {
            id += 1
            hash = Self.hash(entry, id: id, previous: hash)
            try insert(AuditRecord(id: id, entry: entry, hash: hash), db)
            try db.run("UPDATE audit_head SET id = ?, hash = ? WHERE one = 1") {
                $0.add(id)
                $0.add(hash)
            }
        }
    }

    static func hash(_ entry: AuditEntry, id: Int64, previous: [UInt8]) -> [UInt8] {
        Array(SHA256.hash(data: entry.canonical(id: id, previous: previous)))
    }

    private static func insert(_ record: AuditRecord, _ db: Connection) throws {
        let entry = record.entry
        try db.run(
            "INSERT INTO audit_log (\(columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        ) {
            $0.add(record.id)
            $0.add(entry.at)
            $0.add(entry.actor)
            $0.add(entry.name)
            $0.add(entry.actorID)
            $0.add(entry.key)
            $0.add(entry.operation)
            $0.add(entry.objectType)
            $0.add(entry.objectID)
            $0.add(entry.project)
            $0.add(entry.result)
            $0.add(entry.status.map(Int64.init))
            $0.add(entry.fields)
            $0.add(entry.detail)
            $0.add(entry.remote)
            $0.add(entry.requestID)
            $0.add(record.hash)
        }
    }

    static func read(_ columns: inout Columns) throws -> AuditRecord {
        let id = columns.int64()
        let entry = AuditEntry(
            at: columns.int64(), actor: try columns.word(), name: columns.text(), actorID: columns.int64OrNil(),
            key: columns.int64OrNil(), operation: columns.text(), objectType: columns.text(),
            objectID: columns.text(), project: columns.idOrNil(), result: try columns.word(),
            status: columns.int64OrNil().map(Int.init), fields: try columns.list(), detail: columns.text(),
            remote: columns.text(), requestID: columns.text())
        return AuditRecord(id: id, entry: entry, hash: columns.bytes())
    }
}

/// Entries that wait for the next transaction: whoever commits first takes all of them along, so that many acts at once, and acts
/// beside the engine's commits, share one sync of the disk.
final class AuditQueue: Sendable {
    struct Waiting: Sendable {
        var entry: AuditEntry
        var done: @Sendable (Result<Void, any Error>) -> Void
    }

    private struct State {
        var waiting: [Waiting] = []
        var isScheduled = false
    }

    private let state = Mutex(State())

    /// Whether the caller is to make a transaction for what waits: no other is on its way.
    func add(_ waiting: Waiting) -> Bool {
        state.withLock { state in
            state.waiting.append(waiting)
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
    }

    /// What waits, for a transaction that is begun anyway.
    func take() -> [Waiting] {
        state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
    }

    /// What waits, for the transaction that ``add(_:)`` asked for.
    func takeScheduled() -> [Waiting] {
        state.withLock { state in
            defer {
                state.waiting = []
                state.isScheduled = false
            }
            return state.waiting
        }
    }
}
