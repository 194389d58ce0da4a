package import ControllerCore
import GRDB

extension Database: AuditLog {
    package func record(_ entry: AuditEntry) async throws {
        let entry = entry.bounded
        let result: Result<Void, any Error> = await withCheckedContinuation { continuation in
            let isFirst = audit.add(.init(entry: entry, done: { continuation.resume(returning: $0) }))
            guard isFirst else { return }
            pool.asyncWriteWithoutTransaction { [audit] db in
                // Another transaction may have taken all of them along.
                let waiting = audit.takeScheduled()
                guard !waiting.isEmpty else { return }
                let result: Result<Void, any Error> = Result {
                    try Self.transaction(db) { try AuditWriter.append(waiting.map(\.entry), $0) }
                }
                for one in waiting { one.done(result) }
            }
        }
        do {
            try result.get()
        } catch let error as DatabaseError {
            throw CommitFailure(stopping: error)
        }
    }

    package func entries(
        _ filter: AuditFilter, after: Int64?, before: Int64?, limit: Int
    ) async throws -> [AuditRecord] {
        let (match, values) = Self.match(filter, after: after, before: before)
        var arguments = values
        arguments.add(min(max(limit, 1), 1000))
        let order = after == nil ? "DESC" : "ASC"
        return try await read { [match, arguments] db in
            try db.all(
                "SELECT \(AuditWriter.columns) FROM audit_log \(match) ORDER BY id \(order) LIMIT ?",
                { $0 = arguments }
            ) { try AuditWriter.read(&$0) }
        }
    }

    package func entries(_ filter: AuditFilter, page: Int, perPage: Int) async throws -> Page<AuditRecord> {
        let range = PageRange(page: page, perPage: perPage)
        let (match, arguments) = Self.match(filter)
        return try await read { db in
            // Rows are numbered without holes, so that all of them need no counting.
            let total =
                match.isEmpty
                ? Int(try Self.head(db).id)
                : try db.first("SELECT count(*) FROM audit_log \(match)", { $0 = arguments }) { $0.int() } ?? 0
            let items = try db.all(
                "SELECT \(AuditWriter.columns) FROM audit_log \(match) ORDER BY id DESC LIMIT ? OFFSET ?",
                {
                    $0 = arguments
                    $0.add(range.limit)
                    $0.add(range.offset)
                }
            ) { try AuditWriter.read(&$0) }
            return Page(items: items, total: total)
        }
    }

    /// The `WHERE` of a filter, empty where everything matches, and its values.
    private static func match(
        _ filter: AuditFilter, after: Int64? = nil, before: Int64? = nil
    ) -> (text: String, arguments: Arguments) {
        var conditions: [String] = []
        var arguments = Arguments()
        func equal(_ column: String, _ value: String?) {
            guard let value else { return }
            conditions.append("\(column) = ?")
            arguments.add(value)
        }
        equal("name", filter.user)
        equal("operation", filter.operation)
        equal("object_type", filter.objectType)
        equal("object_id", filter.objectID)
        equal("result", filter.result?.rawValue)
        for (condition, value) in [
            ("project = ?", filter.project?.rawValue), ("at >= ?", filter.since), ("at <= ?", filter.until),
            ("id > ?", after), ("id < ?", before),
        ] {
            guard let value else { continue }
            conditions.append(condition)
            arguments.add(value)
        }
        return (conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND "), arguments)
    }

    package func head() async throws -> AuditAnchor {
        try await read { db in try Self.head(db) }
    }

    static func head(_ db: Connection) throws -> AuditAnchor {
        try db.first("SELECT id, hash FROM audit_head WHERE one = 1", { _ in }) {
            AuditAnchor(id: $0.int64(), hash: Hex.text($0.bytes()))
        } ?? AuditAnchor(id: 0, hash: "")
    }

    /// One read transaction over all rows; memory stays small.
    package func verify(_ anchor: AuditAnchor?) async throws -> AuditVerdict {
        try await read { db in
            let head = try Self.head(db)
            var walk = AuditWalk(anchor: anchor)
            try db.each("SELECT \(AuditWriter.columns) FROM audit_log ORDER BY id") { columns in
                guard walk.fault == nil else { return }
                walk.take(try AuditWriter.read(&columns))
            }
            return walk.end(head)
        }
    }
}

/// Goes along the chain and stops at the first row that is not as it was written.
struct AuditWalk {
    let anchor: AuditAnchor?
    var previous = AuditRecord.origin
    var last: Int64 = 0
    var checked: Int64 = 0
    var brokenID: Int64?
    var fault: String?

    mutating func take(_ record: AuditRecord) {
        checked += 1
        guard record.id == last + 1 else {
            return fail(last + 1, "Row \(last + 1) is missing: after row \(last) comes row \(record.id).")
        }
        guard AuditWriter.hash(record.entry, id: record.id, previous: previous) == record.hash else {
            return fail(record.id, "Row \(record.id) is not as it was written, or the row before it was changed.")
        }
        if let anchor, anchor.id == record.id, anchor.hash != Hex.text(record.hash) {
            return fail(
                record.id, "Row \(record.id) has another hash than the one that was noted: the log was written anew.")
        }
        previous = record.hash
        last = record.id
    }

    mutating func end(_ head: AuditAnchor) -> AuditVerdict {
        if fault == nil, last != head.id || Hex.text(previous) != head.hash {
            fail(
                last + 1,
                "The log ends at row \(last), but \(head.id) rows were written: the rows after it are missing.")
        }
        if fault == nil, let anchor, anchor.id > last {
            fail(
                last + 1, "The log ends at row \(last), but row \(anchor.id) was noted: the rows after it are missing.")
        }
        return AuditVerdict(
            checked: checked, headID: head.id, headHash: head.hash, brokenID: brokenID, fault: fault)
    }

    private mutating func fail(_ id: Int64, _ text: String) {
        brokenID = id
        fault = text
    }
}

/// Lower-case hexadecimal.
enum Hex {
    private static let digits = Array("0123456789abcdef".utf8)

    static func text(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for byte in bytes { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }
}
