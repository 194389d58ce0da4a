import AnsFlowProtocol
import AnsFlowRecords
import Crypto
import Glibc
import Synchronization

/// Reads one attempt's spool: whole records, from any offset on, with the hash of all that passes for the first time.
///
/// Any thread may use it; one at a time gets in.
package final class SpoolReader: @unchecked Sendable {
    package enum Outcome: Equatable, Sendable {
        /// A LOG message as it goes on the wire, and where its output ends.
        case message([UInt8], end: UInt64)
        /// `length` bytes are damaged or not there.
        case unreadable(length: UInt64, reason: String)
    }

    private let turn = Mutex<Void>(())
    private let attempt: Int64
    private let path: String
    private var file: Int32 = -1
    /// Where in the file the record with output offset `offset` begins.
    private var here: (offset: UInt64, position: Int)
    /// Some of the places that were passed, about one in ``markBytes``, ascending.
    private var marks: [(offset: UInt64, position: Int)] = []
    private var hash = SHA256()
    private var hashed: UInt64 = 0

    private static let markBytes: UInt64 = 512 * 1024
    /// The kind of message and the attempt: see `WireCodec`.
    private static let headSize = 9

    package init(attempt: Int64, path: String) {
        self.attempt = attempt
        self.path = path
        here = (0, LogFileHeader.size)
    }

    deinit { if file >= 0 { close(file) } }

    /// Makes a LOG message of records from `from` on, at most the protocol's size.
    ///
    /// - Parameter upTo: What the spool holds, as its shim said.
    package func read(from: UInt64, upTo: UInt64) -> Outcome {
        turn.withLock { _ in readInTurn(from: from, upTo: upTo) }
    }

    private func readInTurn(from: UInt64, upTo: UInt64) -> Outcome {
        guard openFile() else { return missing(from, upTo, "The spool can't be opened.") }
        seek(from)
        var space = ProtocolLimits.logMessageBytesMax
        var info = stat()
        if fstat(file, &info) == 0 { space = min(space, max(0, Int(info.st_size) - here.position) + Self.headSize) }
        guard space > Self.headSize else { return missing(from, upTo, "The spool ends before its time.") }

        guard here.offset == from else { return partial(from, upTo) }
        var end = from
        var fault: Outcome?
        let message = [UInt8](unsafeUninitializedCapacity: space) { buffer, count in
            let raw = UnsafeMutableRawBufferPointer(buffer)
            raw[0] = 1
            raw.storeBytes(of: attempt.littleEndian, toByteOffset: 1, as: Int64.self)
            let got = pread(file, raw.baseAddress?.advanced(by: Self.headSize), space - Self.headSize, here.position)
            let body = UnsafeRawBufferPointer(rebasing: raw[Self.headSize..<Self.headSize + max(0, got)])
            let taken = take(body, from: from, upTo: upTo, end: &end, fault: &fault)
            count = Self.headSize + taken
        }
        if end > from { return .message(message, end: end) }
        return fault ?? missing(from, upTo, "The spool ends before its time.")
    }

    /// The hash of the first `total` bytes, lower-case hex; `nil` where they can't all be read.
    package func finish(total: UInt64) -> String? {
        turn.withLock { _ in finishInTurn(total) }
    }

    private func finishInTurn(_ total: UInt64) -> String? {
        while hashed < total {
            guard case .message(_, let end) = readInTurn(from: hashed, upTo: total), end == hashed else { return nil }
        }
        guard hashed == total else { return nil }
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: hash.finalize().flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// Output bytes that the file holds, by its records. Reads headers only.
    package func measure() -> UInt64 {
        guard openFile() else { return 0 }
        while let record = header(at: here.position), record.offset == here.offset {
            var info = stat()
            guard fstat(file, &info) == 0, here.position + record.encodedSize <= Int(info.st_size) else { break }
            advance(record)
        }
        return here.offset
    }

    // MARK: Records

    /// Goes through the records in `body`, which begins at ``here``.
    ///
    /// - Returns: How many of its bytes belong to the message.
    private func take(
        _ body: UnsafeRawBufferPointer, from: UInt64, upTo: UInt64, end: inout UInt64, fault: inout Outcome?
    ) -> Int {
        var reader = ByteReader(body)
        var taken = 0
        while end < upTo, let record = LogRecord(header: &reader) {
            guard record.offset == here.offset else {
                fault = missing(end, upTo, "The spool is damaged.")
                break
            }
            guard let bytes = reader.slice(Int(record.length)) else { break }
            guard record.end - from <= UInt64(ProtocolLimits.logPayloadBytesMax) || end == from else { break }
            guard record.matches(bytes) else {
                fault = .unreadable(length: record.end - end, reason: "A record of the spool is damaged.")
                // What follows it may be good.
                if end == from { advance(record) }
                break
            }
            if record.offset == hashed {
                hash.update(bufferPointer: bytes)
                hashed = record.end
            }
            advance(record)
            end = record.end
            taken += record.encodedSize
        }
        return taken
    }

    /// The rest of a record of which the controller holds the beginning, as a record of its own.
    private func partial(_ from: UInt64, _ upTo: UInt64) -> Outcome {
        guard let record = header(at: here.position), record.offset == here.offset, record.end > from else {
            return missing(from, upTo, "The spool is damaged.")
        }
        var bytes = [UInt8](repeating: 0, count: Int(record.length))
        let position = here.position + LogRecord.headerSize
        let count = bytes.withUnsafeMutableBytes { pread(file, $0.baseAddress, $0.count, position) }
        guard count == bytes.count, bytes.withUnsafeBytes({ record.matches($0) }) else {
            return .unreadable(length: record.end - from, reason: "A record of the spool is damaged.")
        }
        var message: [UInt8] = [1]
        message.append(integer: attempt)
        message += LogRecord.encode(
            offset: from, time: record.time, bytes: Array(bytes[Int(from - record.offset)...]))
        return .message(message, end: record.end)
    }

    private func advance(_ record: LogRecord) {
        here = (record.end, here.position + record.encodedSize)
        if here.offset >= (marks.last?.offset ?? 0) + Self.markBytes { marks.append(here) }
    }

    private func seek(_ offset: UInt64) {
        guard offset != here.offset else { return }
        if offset < here.offset {
            here = marks.last { $0.offset <= offset } ?? (0, LogFileHeader.size)
        }
        while here.offset < offset, let record = header(at: here.position), record.offset == here.offset,
            record.end <= offset
        { advance(record) }
    }

    private func header(at position: Int) -> LogRecord? {
        var bytes = [UInt8](repeating: 0, count: LogRecord.headerSize)
        let count = bytes.withUnsafeMutableBytes { pread(file, $0.baseAddress, $0.count, position) }
        guard count == LogRecord.headerSize else { return nil }
        return bytes.withUnsafeBytes { raw in
            var reader = ByteReader(raw)
            return LogRecord(header: &reader)
        }
    }

    private func openFile() -> Bool {
        if file >= 0 { return true }
        file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { return false }
        var head = [UInt8](repeating: 0, count: LogFileHeader.size)
        let count = head.withUnsafeMutableBytes { pread(file, $0.baseAddress, $0.count, 0) }
        let header = head.withUnsafeBytes { LogFileHeader($0) }
        if count == head.count, header?.attempt == attempt { return true }
        close(file)
        file = -1
        return false
    }

    private func missing(_ from: UInt64, _ upTo: UInt64, _ reason: String) -> Outcome {
        .unreadable(length: upTo > from ? upTo - from : 0, reason: reason)
    }
}
