import ControllerCore
import Synchronization

/// An audit log in memory; its hashes are not the store's.
final class MemoryAudit: AuditLog {
    struct Full: Error {}

    private let state = Mutex<(entries: [AuditEntry], isFull: Bool)>(([], false))

    var entries: [AuditEntry] { state.withLock { $0.entries } }
    func fill() { state.withLock { $0.isFull = true } }

    func record(_ entry: AuditEntry) async throws {
        try state.withLock { state in
            if state.isFull { throw Full() }
            state.entries.append(entry)
        }
    }

    func entries(_ filter: AuditFilter, after: Int64?, before: Int64?, limit: Int) async throws -> [AuditRecord] {
        let all = entries.enumerated().map { AuditRecord(id: Int64($0 + 1), entry: $1, hash: AuditRecord.origin) }
        let shown = all.filter { row in
            (filter.user == nil || filter.user == row.entry.name) && row.id > after ?? 0 && row.id < before ?? .max
        }
        return Array((after == nil ? shown.reversed() : shown).prefix(limit))
    }

    func entries(_ filter: AuditFilter, page: Int, perPage: Int) async throws -> Page<AuditRecord> {
        let all = try await entries(filter, after: nil, before: nil, limit: .max)
        return Page(items: Array(all.dropFirst((page - 1) * perPage).prefix(perPage)), total: all.count)
    }

    func verify(_ anchor: AuditAnchor?) async throws -> AuditVerdict {
        AuditVerdict(
            checked: Int64(entries.count), headID: Int64(entries.count), headHash: String(repeating: "0", count: 64),
            brokenID: anchor?.id, fault: anchor.map { "Row \($0.id) has another hash." })
    }

    func head() async throws -> AuditAnchor { AuditAnchor(id: Int64(entries.count), hash: "") }
}
