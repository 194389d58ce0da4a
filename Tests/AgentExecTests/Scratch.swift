import AgentCore
import AgentExec
import AnsFlowProtocol
import Glibc
import NIOCore
import NIOPosix
import Synchronization
import TestSupport

/// A directory for one test, removed with it.
final class Scratch: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/ansflow-exec-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw TestFailure("mkdtemp failed: \(errno)") }
        path = String(cString: made)
    }

    func write(_ name: String, _ text: String) throws {
        let file = open("\(path)/\(name)", O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        guard file >= 0 else { throw TestFailure("can't write \(path)/\(name): \(errno)") }
        defer { close(file) }
        let bytes = Array(text.utf8)
        guard Glibc.write(file, bytes, bytes.count) == bytes.count else { throw TestFailure("short write") }
    }

    func exists(_ name: String) -> Bool { access("\(path)/\(name)", F_OK) == 0 }

    deinit { _ = try? shell("chmod -R u+rwx '\(path)' 2>/dev/null; rm -rf '\(path)'") }
}

/// Runs a shell text and gives its output.
@discardableResult
func shell(_ text: String) throws -> String {
    guard let stream = popen("exec 2>&1; \(text)", "r") else { throw TestFailure("popen failed") }
    var output: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
        let count = fread(&chunk, 1, chunk.count, stream)
        if count == 0 { break }
        output += chunk[0..<count]
    }
    let status = pclose(stream)
    let said = String(decoding: output, as: UTF8.self)
    guard status == 0 else { throw TestFailure("\(text) ended with \(status): \(said)") }
    return said
}

func start(
    _ attempt: Int64, job: Int64 = 1, _ commands: [String], environment: [String: String] = [:],
    secrets: [String: String] = [:]
) -> Start {
    let spec = StepSpec(
        jobAttempt: JobAttemptID(job), title: "p/j/s", action: .run(commands: commands, shell: .sh),
        environment: environment, timeoutMs: 60_000, graceMs: 500)
    return Start(attempt: AttemptID(attempt), spec: spec, secrets: secrets)
}

/// One life of an agent's side of the shims: journal, survey and host on a loop. Dropping it without a word is a killed agent.
final class AgentSide: Sendable {
    let paths: AgentPaths
    let survey: ShimSurvey
    private let host: ShimHost
    private let inputs = Mutex<[AgentInput]>([])
    private let loop: any EventLoop
    private let pool = NIOThreadPool(numberOfThreads: 2)
    /// Held until death.
    private let directory: Mutex<DataDirectory?>

    init(_ scratch: Scratch, bootID: String? = nil) throws {
        paths = AgentPaths(root: "\(scratch.path)/data")
        let directory = try DataDirectory(paths)
        self.directory = Mutex(directory)
        let containment = ContainmentProbe.run(storeID: directory.storeID)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        self.loop = loop
        pool.start()
        let boot = try bootID ?? HostFacts.bootID()
        let (journal, contents) = try AgentJournal.open(paths.journal, loop: loop, pool: pool)
        survey = ShimSurvey(contents, bootID: boot, paths: paths, cgroupParent: containment.parent)
        let spawner = try ShimSpawner(
            program: BuiltProducts.path("ansflow-shim"), paths: paths, cgroupParent: containment.parent)
        let settings = ShimHost.Settings(
            paths: paths, spawner: spawner, bootID: boot, agentProgram: BuiltProducts.path("ansflow-agent"),
            agentName: "tester",
            environment: StepEnvironment(host: [
                "PATH": "/usr/bin:/bin", "ANSFLOW_TOKEN": "credential", "AGENT_KEY": "k",
            ]))
        let sink = Sink()
        host = ShimHost(settings, journal: journal, loop: loop, pool: pool, emit: { sink.take($0) })
        sink.side = self
        let (host, survey) = (host, survey)
        loop.execute { host.begin(survey) }
    }

    private final class Sink: @unchecked Sendable {
        weak var side: AgentSide?
        func take(_ input: AgentInput) { side?.inputs.withLock { $0.append(input) } }
    }

    /// Waits for an input.
    func wait<Value>(_ what: String, _ pick: (AgentInput) -> Value?) throws -> Value {
        try eventually(within: 60, "\(what); there is \(inputs.withLock { $0 })") {
            let all = inputs.withLock { $0 }
            return all.lazy.compactMap(pick).first
        }
    }

    func ending(_ attempt: Int64) throws -> AttemptEnding {
        try wait("attempt \(attempt) ends") { input in
            if case .exited(AttemptID(attempt), let ending) = input { ending } else { nil }
        }
    }

    func has(_ input: AgentInput) throws { _ = try wait("\(input)") { $0 == input ? true : nil } }

    func run(_ start: Start) throws {
        on { $0.accept(start.attempt, start.spec.jobAttempt) }
        try has(.journalled(start.attempt))
        on { $0.start(start) }
    }

    func on(_ body: @escaping @Sendable (ShimHost) -> Void) {
        let host = host
        loop.execute { body(host) }
    }

    /// What `kill -9` of the agent does: sockets and locks are gone, nobody was told anything.
    func die() throws {
        let host = host
        try loop.submit { host.close() }.wait()
        try pool.syncShutdownGracefully()
        directory.withLock { $0 = nil }
    }

    func log(_ attempt: Int64) -> String {
        let reader = SpoolReader(attempt: attempt, path: paths.spool(attempt))
        let total = reader.measure()
        var text: [UInt8] = []
        var from: UInt64 = 0
        while from < total, case .message(let bytes, let end) = reader.read(from: from, upTo: total) {
            if case .log(let frame)? = try? WireCodec.decodeAgentMessage(bytes) { text += payload(frame.records) }
            from = end
        }
        return String(decoding: text, as: UTF8.self)
    }
}
