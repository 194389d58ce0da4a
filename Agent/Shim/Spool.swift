import AgentMask
import AgentShimCore
import AnsFlowRecords
import CAgentSystem
import Glibc

/// The step's output on disk: masked, cut into records, up to a limit or until the disk refuses.
struct Spool {
    private let descriptor: Int32
    private var limiter: SpoolLimiter
    private var masker: Masker
    private var masked: [UInt8] = []
    private var head: [UInt8] = []
    /// Where the next record begins in the file.
    private var fileEnd: Int
    private let path: String
    private var secretCount: Int
    private var secretBytes: Int
    /// The errno that ended recording; 0 while none has.
    private(set) var failure: Int32 = 0

    /// Makes the file with its header.
    ///
    /// - Returns: `nil` and errno where the file exists or can't be made; nothing is left behind then.
    static func make(path: String, attempt: Int64, limit: UInt64, secrets: [[UInt8]]) -> Result<Spool, SystemError> {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return .failure(SystemError(errno)) }
        let header = LogFileHeader(attempt: attempt).encoded()
        let count = header.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        guard count == header.count else {
            let error = count < 0 ? errno : ENOSPC
            close(descriptor)
            unlink(path)
            return .failure(SystemError(error))
        }
        return .success(Spool(descriptor: descriptor, path: path, limit: limit, secrets: secrets, fileEnd: count))
    }

    private init(descriptor: Int32, path: String, limit: UInt64, secrets: [[UInt8]], fileEnd: Int) {
        self.descriptor = descriptor
        self.path = path
        self.fileEnd = fileEnd
        limiter = SpoolLimiter(limit: limit)
        masker = Masker(secrets: secrets)
        secretCount = secrets.count
        secretBytes = secrets.reduce(0) { $0 + $1.count }
        masked.reserveCapacity(2 * LogRecord.lengthMax)
    }

    var stored: UInt64 { limiter.stored }
    var dropped: UInt64 { limiter.dropped }

    /// Masks one more value from now on; false where it is too short or there are too many.
    mutating func mask(_ secret: [UInt8]) -> Bool {
        guard secretCount < ShimLimits.secretsMax, secretBytes + secret.count <= ShimLimits.secretBytesTotalMax,
            masker.add(secret: secret)
        else { return false }
        secretCount += 1
        secretBytes += secret.count
        return true
    }

    /// Bytes of their own without the step's secrets.
    func masked(_ bytes: [UInt8]) -> [UInt8] { masker.masked(bytes) }

    /// Stores a line of the shim's own behind the step's output.
    mutating func add(_ line: String, time: UInt64) {
        masked = Array(line.utf8)
        store(time)
    }

    /// `text` without the step's secrets.
    func masked(_ text: String) -> String { masker.masked(text) }

    /// Takes output.
    ///
    /// - Parameter time: Milliseconds since the child's start.
    mutating func take(_ bytes: UnsafeRawBufferPointer, time: UInt64) {
        masked.removeAll(keepingCapacity: true)
        masker.feed(bytes, into: &masked)
        store(time)
    }

    /// The output has ended: stores what the masker held back.
    mutating func finish(time: UInt64) {
        masked.removeAll(keepingCapacity: true)
        masker.finish(into: &masked)
        store(time)
    }

    /// Lets the file go; it stays.
    func end() { close(descriptor) }

    /// Lets the file go and removes it: nothing was started.
    func discard() {
        close(descriptor)
        unlink(path)
    }

    private mutating func store(_ time: UInt64) {
        guard !masked.isEmpty else { return }
        var offset = limiter.stored
        let kept = limiter.offer(masked.count)
        var done = 0
        while done < kept {
            let count = min(kept - done, LogRecord.lengthMax)
            guard append(done..<done + count, offset: offset, time: time) else {
                limiter.writeFailed(lost: kept - done)
                return
            }
            done += count
            offset += UInt64(count)
        }
    }

    /// Writes one record; cuts a torn one off again.
    private mutating func append(_ range: Range<Int>, offset: UInt64, time: UInt64) -> Bool {
        head.removeAll(keepingCapacity: true)
        var error: Int32 = 0
        let size = LogRecord.headerSize + range.count
        let written = masked.withUnsafeBytes { raw in
            let body = UnsafeRawBufferPointer(rebasing: raw[range])
            LogRecord(offset: offset, time: time, bytes: body).appendHeader(to: &head)
            return ansflow_write_pair(descriptor, head, head.count, body.baseAddress, body.count, &error)
        }
        guard written == size else {
            failure = error
            _ = ftruncate(descriptor, fileEnd)
            return false
        }
        fileEnd += size
        return true
    }
}

/// A call of the system failed.
struct SystemError: Error {
    var errno: Int32

    init(_ errno: Int32) { self.errno = errno }
}
