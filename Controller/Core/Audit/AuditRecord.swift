/// An entry with its place in the chain: ids count from 1 without holes, and each hash covers the one before.
package struct AuditRecord: Equatable, Sendable {
    package var id: Int64
    package var entry: AuditEntry
    /// SHA-256 over ``AuditEntry/canonical(id:previous:)``.
    package var hash: [UInt8]

    package init(id: Int64, entry: AuditEntry, hash: [UInt8]) {
        self.id = id
        self.entry = entry
        self.hash = hash
    }

    /// What stands before the first.
    package static let origin = [UInt8](repeating: 0, count: 32)
}

extension AuditEntry {
    /// The bytes that are hashed: the previous hash, then every field with its length before it, so that no two entries have the
    /// same bytes. The first byte is the form's version.
    package func canonical(id: Int64, previous: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = [1]
        bytes.reserveCapacity(512)
        func add(_ part: some Collection<UInt8>) {
            withUnsafeBytes(of: UInt32(part.count).bigEndian) { bytes += $0 }
            bytes += part
        }
        func add(_ number: Int64?) {
            guard let number else { return add([UInt8]()) }
            withUnsafeBytes(of: number.bigEndian) { add($0) }
        }
        add(previous)
        add(id)
        add(at)
        add(actor.rawValue.utf8)
        add(name.utf8)
        add(actorID)
        add(key)
        add(operation.utf8)
        add(objectType.utf8)
        add(objectID.utf8)
        add(project?.rawValue)
        add(result.rawValue.utf8)
        add(status.map(Int64.init))
        add(Int64(fields.count))
        for field in fields { add(field.utf8) }
        add(detail.utf8)
        add(remote.utf8)
        add(requestID.utf8)
        return bytes
    }
}

/// What the list of acts may be narrowed to. Every field that is nil matches all.
package struct AuditFilter: Hashable, Sendable {
    package var user: String?
    package var operation: String?
    package var objectType: String?
    package var objectID: String?
    package var project: ProjectID?
    package var result: AuditResult?
    /// At or after, in ms since 1970.
    package var since: Int64?
    package var until: Int64?

    package init() {}
}

/// What a walk over the whole chain found.
package struct AuditVerdict: Equatable, Sendable {
    /// Rows that were read.
    package var checked: Int64
    /// The newest row and its hash, in lower-case hex; note them elsewhere.
    package var headID: Int64
    package var headHash: String
    /// The first row that is not as it was written; nil where all are.
    package var brokenID: Int64?
    /// A sentence; nil where all is well.
    package var fault: String?

    package init(checked: Int64, headID: Int64, headHash: String, brokenID: Int64? = nil, fault: String? = nil) {
        self.checked = checked
        self.headID = headID
        self.headHash = headHash
        self.brokenID = brokenID
        self.fault = fault
    }
}

/// A row's number and hash that somebody noted elsewhere.
package struct AuditAnchor: Equatable, Sendable {
    package var id: Int64
    /// Lower-case hex.
    package var hash: String

    package init(id: Int64, hash: String) {
        self.id = id
        self.hash = hash
    }
}

/// The log of who did what.
package protocol AuditLog: Sendable {
    /// Appends, and returns when the entry would survive a crash.
    func record(_ entry: AuditEntry) async throws
    /// Ascending above `after` where that is given, else descending below `before`.
    func entries(_ filter: AuditFilter, after: Int64?, before: Int64?, limit: Int) async throws -> [AuditRecord]
    /// A page, newest first.
    func entries(_ filter: AuditFilter, page: Int, perPage: Int) async throws -> Page<AuditRecord>
    /// Reads the whole chain and says whether it is as it was written, and holds `anchor` where one is given.
    func verify(_ anchor: AuditAnchor?) async throws -> AuditVerdict
    /// The newest row.
    func head() async throws -> AuditAnchor
}
