import AnsFlowRecords

/// The records of a LOG message, checked: whole, undamaged, with consecutive offsets.
struct FrameRecords {
    struct Item {
        var record: LogRecord
        /// Where the record begins in the message.
        var position: Int
    }

    var items: [Item] = []

    /// - Throws: ``Refusal`` where they are anything else.
    init(_ message: UnsafeRawBufferPointer) throws(Refusal) {
        var reader = ByteReader(message)
        while reader.remaining > 0 {
            let position = reader.position
            guard let record = LogRecord(header: &reader), let bytes = reader.slice(Int(record.length)) else {
                throw Refusal("a log record is cut off or has a length that is not allowed")
            }
            guard record.matches(bytes) else { throw Refusal("a log record does not match its checksum") }
            if let last = items.last, last.record.end != record.offset {
                throw Refusal("the log records of a message are not consecutive")
            }
            items.append(Item(record: record, position: position))
        }
        guard !items.isEmpty else { throw Refusal("a LOG message holds no record") }
    }

    var start: UInt64 { items[0].record.offset }
    var end: UInt64 { items[items.count - 1].record.end }

    static func payload(_ item: Item, in message: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        let start = item.position + LogRecord.headerSize
        return UnsafeRawBufferPointer(rebasing: message[start..<start + Int(item.record.length)])
    }

    /// The message without the bytes before `next`, which lies inside it.
    func trimmed(_ message: UnsafeRawBufferPointer, from next: UInt64) -> [UInt8] {
        var rest: [UInt8] = []
        for item in items where item.record.end > next {
            let payload = Self.payload(item, in: message)
            let known = Int(max(next, item.record.offset) - item.record.offset)
            let bytes = UnsafeRawBufferPointer(rebasing: payload[known...])
            LogRecord(offset: item.record.offset + UInt64(known), time: item.record.time, bytes: bytes)
                .appendHeader(to: &rest)
            rest.append(contentsOf: bytes)
        }
        return rest
    }
}

/// Why a message can never be stored.
struct Refusal: Error {
    var reason: String
    init(_ reason: String) { self.reason = reason }
}
