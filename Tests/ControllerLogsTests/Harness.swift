import AnsFlowProtocol
import AnsFlowRecords
import Crypto
import FoundationEssentials
import Glibc
import Logging
import NIOCore
import Synchronization

@testable import ControllerLogs

/// A log store in a directory of its own.
final class Harness: Sendable {
    let directory: String
    let configuration: LogStoreConfiguration
    let durable = Mutex<[AttemptID: UInt64]>([:])
    let fatal = Mutex<[LogStoreError]>([])
    private let current = Mutex<LogStore?>(nil)

    var store: LogStore { current.withLock { $0! } }

    init(
        directory: String? = nil, configuration: LogStoreConfiguration = LogStoreConfiguration()
    ) throws {
        self.configuration = configuration
        self.directory = try directory ?? Self.temporaryDirectory()
        try start()
    }

    func start() throws {
        let events = LogStoreEvents(
            durable: { [weak self] attempt, next in self?.durable.withLock { $0[attempt] = next } },
            fatal: { [weak self] error in self?.fatal.withLock { $0.append(error) } })
        let store = try LogStore(
            directory: directory + "/logs", configuration: configuration, events: events,
            logger: Logger(label: "test"))
        current.withLock { $0 = store }
    }

    /// As after a kill of the process: what is on the disk is all that is left.
    func restart() async throws {
        await store.close()
        try start()
    }

    func path(_ attempt: AttemptID, _ form: String) -> String {
        "\(directory)/logs/\(attempt.rawValue / 1000)/\(attempt.rawValue).\(form)"
    }

    func read(_ attempt: AttemptID, _ form: String) throws -> [UInt8] {
        try Array(Data(contentsOf: URL(filePath: path(attempt, form))))
    }

    func write(_ bytes: [UInt8], _ attempt: AttemptID, _ form: String) throws {
        try Data(bytes).write(to: URL(filePath: path(attempt, form)))
    }

    func exists(_ attempt: AttemptID, _ form: String) -> Bool { access(path(attempt, form), F_OK) == 0 }

    /// All stored bytes of a range; a hole counts as none.
    func bytes(_ attempt: AttemptID, _ range: Range<UInt64>? = nil) async throws -> [UInt8] {
        var all: [UInt8] = []
        for try await chunk in try await store.bytes(attempt, range) {
            if case .bytes(let bytes) = chunk { all += bytes }
        }
        return all
    }

    /// Appends everything in frames.
    func append(_ attempt: AttemptID, _ bytes: [UInt8], from offset: Int = 0, size: Int = 64 * 1024) -> AppendOutcome {
        var outcome = AppendOutcome.ignored(next: UInt64(offset))
        var start = 0
        while start < bytes.count {
            let end = min(start + size, bytes.count)
            outcome = store.append(frame(attempt, at: offset + start, Array(bytes[start..<end])))
            start = end
        }
        return outcome
    }

    func close() async {
        await store.close()
        try? FileManager.default.removeItem(atPath: directory)
    }

    static func temporaryDirectory() throws -> String {
        var template = Array("/tmp/ansflow-logs.XXXXXX".utf8CString)
        guard let made = template.withUnsafeMutableBufferPointer({ $0.baseAddress.flatMap { mkdtemp($0) } }) else {
            throw LogStoreError.io(operation: "make the directory of", attempt: nil, errno: errno)
        }
        return String(cString: made)
    }
}

/// A harness for the time of `body`.
func withHarness(
    _ configuration: LogStoreConfiguration = LogStoreConfiguration(), _ body: (Harness) async throws -> Void
) async throws {
    let harness = try Harness(configuration: configuration)
    do {
        try await body(harness)
    } catch {
        await harness.close()
        throw error
    }
    await harness.close()
}

/// Small blocks, so that little output has many borders.
var smallBlocks: LogStoreConfiguration {
    var configuration = LogStoreConfiguration()
    configuration.blockBytes = 1000
    return configuration
}

func frame(_ attempt: AttemptID, at offset: Int, time: UInt64 = 0, _ bytes: [UInt8]) -> LogFrame {
    LogFrame(attempt: attempt, records: LogRecord.encode(offset: UInt64(offset), time: time, bytes: bytes))
}

func frame(_ attempt: AttemptID, at offset: Int, time: UInt64 = 0, _ text: String) -> LogFrame {
    frame(attempt, at: offset, time: time, Array(text.utf8))
}

func sha256(_ bytes: [UInt8]) -> String { Array(SHA256.hash(data: bytes)).hex }

func end(_ attempt: AttemptID, _ bytes: [UInt8]) -> LogEnd {
    LogEnd(attempt: attempt, total: UInt64(bytes.count), sha256: sha256(bytes), dropped: 0)
}

func text(_ line: LogLine) -> String { String(decoding: line.text, as: UTF8.self) }

/// SplitMix64 (Steele, Lea, Flood 2014), for the same bytes in each run.
struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// A log as random as logs get, and what each of its lines must look like.
struct Sample {
    struct Line: Equatable {
        var bytes: [UInt8]
        var time: UInt64
    }

    var bytes: [UInt8] = []
    /// Pieces as they were written: offset, time, length.
    var pieces: [(offset: Int, time: UInt64, bytes: [UInt8])] = []

    init(seed: UInt64, length: Int) {
        var random = Seeded(state: seed)
        var time: UInt64 = 0
        while bytes.count < length {
            let size = Int.random(in: 1...700, using: &random)
            let chance = Int.random(in: 1...60, using: &random)
            let piece = (0..<size).map { _ -> UInt8 in
                Int.random(in: 0..<chance, using: &random) == 0 ? 10 : UInt8.random(in: 0...255, using: &random)
            }
            pieces.append((bytes.count, time, piece))
            bytes += piece
            time += UInt64.random(in: 0...50, using: &random)
        }
    }

    /// The naive oracle.
    var lines: [Line] {
        var lines: [Line] = []
        var open: Line?
        for piece in pieces {
            for byte in piece.bytes {
                var line = open ?? Line(bytes: [], time: piece.time)
                if byte == 10 {
                    lines.append(line)
                    open = nil
                } else {
                    line.bytes.append(byte)
                    open = line
                }
            }
        }
        if let open { lines.append(open) }
        return lines
    }
}
