import AgentShimCore
import AnsFlowRecords
import Glibc
import TestSupport

/// One real shim in a directory of its own, and the files of one attempt.
final class ShimHarness {
    let directory: String
    let containment: Containment
    private(set) var client: ShimClient
    private let removesDirectory: Bool

    /// - Parameters:
    ///   - directory: Made by the caller and kept; without it a new one is made, and removed at the end.
    ///   - more: Words behind the command.
    init(_ containment: Containment = .sweep, directory given: String? = nil, more: [String] = []) throws {
        directory = try given ?? Self.makeDirectory()
        removesDirectory = given == nil
        self.containment = containment
        for name in ["shim", "starts", "work"] { mkdir("\(directory)/\(name)", 0o700) }
        let code = try Programs.run(Self.command(directory, containment) + more)
        guard code == 0 else { throw TestFailure("the shim exited with \(code) instead of going into the background") }
        client = try ShimClient("\(directory)/shim")
    }

    static func makeDirectory() throws -> String {
        var template = Array("/tmp/ansflow-shim-XXXXXX\0".utf8).map { CChar(bitPattern: $0) }
        guard let path = mkdtemp(&template) else { throw TestFailure("no temporary directory: errno \(errno)") }
        return String(cString: path)
    }

    static func command(_ directory: String, _ containment: Containment, name: String = "shim") -> [String] {
        var command = [BuiltProducts.path("ansflow-shim"), "--dir", "\(directory)/\(name)"]
        if containment == .cgroup, let parent = CgroupParent.path {
            // The cgroup's name is the shim's: each harness gets a parent of its own.
            let own = "\(parent)/\(directory.split(separator: "/").last ?? "x")"
            mkdir(own, 0o755)
            command += ["--cgroup", own]
        }
        return command
    }

    deinit {
        if let client = try? ShimClient("\(directory)/shim"), let state = try? client.attach() {
            if case .running = state.phase {
                client.send(.stop(.cancel, graceMs: 0))
                _ = try? client.next(within: 10) { if case .ended = $0 { true } else { false } }
            }
            client.send(.forget)
            _ = client.waitClosed()
        }
        if let parent = CgroupParent.path { rmdir("\(parent)/\(directory.split(separator: "/").last ?? "x")") }
        if removesDirectory { _ = try? Programs.run(["rm", "-rf", directory]) }
    }

    var start: String { "\(directory)/starts/1" }
    var spool: String { "\(directory)/1.spool" }
    var record: String { "\(directory)/1.end" }
    var work: String { "\(directory)/work" }

    func spec(
        _ arguments: [String], environment: [String] = [], timeoutMs: UInt64 = 60_000, graceMs: UInt64 = 1_000,
        limit: UInt64 = 100 << 20, secrets: [String] = []
    ) -> ShimSpec {
        ShimSpec(
            attempt: 1, arguments: arguments, environment: ["PATH=/usr/local/bin:/usr/bin:/bin"] + environment,
            workingDirectory: work, startFile: start, spoolFile: spool, recordFile: record, timeoutMs: timeoutMs,
            graceMs: graceMs, logLimitBytes: limit, secrets: secrets.map { Array($0.utf8) })
    }

    /// Starts `sh -c script` and checks that it was started.
    func begin(
        _ script: String, environment: [String] = [], timeoutMs: UInt64 = 60_000, graceMs: UInt64 = 1_000,
        limit: UInt64 = 100 << 20, secrets: [String] = []
    ) throws {
        try begin(
            spec(
                ["sh", "-c", script], environment: environment, timeoutMs: timeoutMs, graceMs: graceMs, limit: limit,
                secrets: secrets))
    }

    func begin(_ spec: ShimSpec) throws {
        try client.attach()
        client.send(.start(spec))
        _ = try client.next { if case .started(attempt: 1, _) = $0 { true } else { false } }
    }

    /// The end as it was reported, checked against the file.
    func end(within seconds: Double = 30) throws -> ExitRecord {
        let report = try client.next(within: seconds) { if case .ended = $0 { true } else { false } }
        guard case .ended(let record) = report else { throw TestFailure("no end") }
        guard let block = Files.read(self.record), block.count == ExitRecord.size, ExitRecord(block) == record else {
            throw TestFailure("the record's file does not hold what was reported")
        }
        return record
    }

    func run(_ script: String, limit: UInt64 = 100 << 20, secrets: [String] = []) throws -> ExitRecord {
        try begin(script, limit: limit, secrets: secrets)
        return try end()
    }

    /// The step's output, from a spool that must be whole and undamaged.
    func output() throws -> [UInt8] {
        guard let bytes = Files.read(spool) else { throw TestFailure("there is no spool") }
        return try bytes.withUnsafeBytes { raw in
            guard LogFileHeader(raw)?.attempt == 1 else { throw TestFailure("the spool's header is wrong") }
            var reader = ByteReader(UnsafeRawBufferPointer(rebasing: raw[LogFileHeader.size...]))
            var output: [UInt8] = []
            while reader.remaining > 0 {
                guard let record = LogRecord(header: &reader), record.offset == output.count,
                    let body = reader.slice(Int(record.length)), record.matches(body)
                else { throw TestFailure("the spool is damaged behind \(output.count) bytes") }
                output.append(contentsOf: body)
            }
            return output
        }
    }

    func text() throws -> String { String(decoding: try output(), as: UTF8.self) }

    func reconnect() throws {
        client.close()
        client = try ShimClient("\(directory)/shim")
    }

    /// The shim's process.
    var shimPID: pid_t? { Programs.find(commandLine: "\(directory)/shim", name: "ansflow-shim").first }

    /// Whether a process holds the shim's lock.
    var isLocked: Bool {
        let file = open("\(directory)/shim/lock", O_RDWR | O_CLOEXEC)
        defer { close(file) }
        return flock(file, LOCK_SH | LOCK_NB) != 0
    }
}
