import AnsFlowRecords

/// What an agent must remember of attempts across its own restarts, one entry an event.
package enum JournalEntry: Equatable, Sendable {
    /// Written and synced before the attempt's specification goes to the shim.
    case accept(attempt: Int64, jobAttempt: Int64, bootID: String, shim: String)
    /// The agent took the start file itself: nothing will ever run.
    case claimedNeverStart(attempt: Int64)
    case forgotten(attempt: Int64)
}

/// Journal entries to bytes and back.
///
/// An entry is its body's length (32 bits), CRC-32C of the length and the body (32 bits), then the body: a kind and fields.
package enum JournalCodec {
    /// Bytes of one entry's body.
    package static let bodyBytesMax = 4096
    private static let nameBytesMax = 1024

    /// - Precondition: Boot id and shim name have at most 1024 bytes each; both are made by the agent's own host.
    package static func encode(_ entry: JournalEntry) -> [UInt8] {
        var body: [UInt8] = []
        switch entry {
        case .accept(let attempt, let jobAttempt, let bootID, let shim):
            precondition(
                bootID.utf8.count <= nameBytesMax && shim.utf8.count <= nameBytesMax,
                "names in the journal have at most \(nameBytesMax) bytes")
            body.append(1)
            body.append(integer: attempt)
            body.append(integer: jobAttempt)
            body.append(text: bootID)
            body.append(text: shim)
        case .claimedNeverStart(let attempt):
            body.append(2)
            body.append(integer: attempt)
        case .forgotten(let attempt):
            body.append(3)
            body.append(integer: attempt)
        }
        var bytes: [UInt8] = []
        bytes.append(integer: UInt32(body.count))
        let crc = CRC32C.checksum(body, continuing: CRC32C.checksum(bytes))
        bytes.append(integer: crc)
        return bytes + body
    }

    /// Reads entries up to the first that is cut off or damaged.
    ///
    /// - Returns: The entries, and how many bytes they take: the file is to be cut there before it is appended to.
    package static func decode(_ bytes: [UInt8]) -> (entries: [JournalEntry], goodBytes: Int) {
        bytes.withUnsafeBytes { raw in
            var reader = ByteReader(raw)
            var entries: [JournalEntry] = []
            var good = 0
            while let count = reader.integer(UInt32.self), count <= bodyBytesMax, let crc = reader.integer(UInt32.self),
                let body = reader.slice(Int(count))
            {
                let head = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: raw[good..<good + 4]))
                guard CRC32C.checksum(body, continuing: head) == crc, let entry = entry(body) else { break }
                entries.append(entry)
                good = reader.position
            }
            return (entries, good)
        }
    }

    private static func entry(_ body: UnsafeRawBufferPointer) -> JournalEntry? {
        var reader = ByteReader(body)
        guard let kind = reader.integer(UInt8.self), let attempt = reader.integer(Int64.self) else { return nil }
        switch kind {
        case 1:
            guard let job = reader.integer(Int64.self), let bootID = reader.text(limit: nameBytesMax),
                let shim = reader.text(limit: nameBytesMax)
            else { return nil }
            return .accept(attempt: attempt, jobAttempt: job, bootID: bootID, shim: shim)
        case 2: return .claimedNeverStart(attempt: attempt)
        case 3: return .forgotten(attempt: attempt)
        default: return nil
        }
    }
}
