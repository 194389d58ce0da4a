import AgentShimCore
import CAgentSystem
import Glibc

/// The parked child and all that comes of it.
struct ProcessTree {
    private let cgroup: Cgroup?
    /// Of the parked child, later the step's main process.
    let pid: Int32
    private var blobPipe: Int32
    /// The pipe that says why a program did not start; -1 once it has said all.
    private(set) var status: Int32
    /// The step's output; -1 once it is closed.
    private(set) var output: Int32
    private var mainIsAlive = true
    private var hasChildren = true
    private var userUs: UInt64 = 0
    private var systemUs: UInt64 = 0
    private var peakBytes: UInt64 = 0

    /// Makes the cgroup `parent/name` where that can be done, and the parked child in it.
    init(parent: String?, name: String) throws(ShimFailure) {
        let cgroup = parent.flatMap { Cgroup(parent: $0, name: name) }
        var parked = ansflow_parked()
        let failed = ansflow_park_child(cgroup?.directory ?? -1, &parked)
        guard failed == 0 else {
            cgroup?.remove()
            throw ShimFailure(text: "A child process can't be made", code: failed)
        }
        if let cgroup, parked.in_cgroup == 0 {
            cgroup.remove()
            self.cgroup = nil
        } else {
            self.cgroup = cgroup
        }
        pid = parked.pid
        blobPipe = parked.blob
        status = parked.status
        output = parked.output
    }

    var containment: Containment { cgroup == nil ? .sweep : .cgroup }

    /// Descriptors that become readable by priority when something happened to the tree as a whole.
    var eventDescriptors: [Int32] {
        guard let cgroup else { return [] }
        return cgroup.memoryEvents < 0 ? [cgroup.events] : [cgroup.events, cgroup.memoryEvents]
    }

    /// Lets ``eventDescriptors`` tell of the next event.
    func rearmEvents() { _ = cgroup?.isEmpty }

    var hasOutOfMemory: Bool { cgroup?.hasOutOfMemory ?? false }

    /// Whether nothing is left: the cgroup says so, and this process, who inherits every orphan, has no child.
    var isEmpty: Bool { !hasChildren && (cgroup?.isEmpty ?? true) }

    // MARK: Start

    /// What the parked child is told: see `ansflow_park_child`.
    func blob(for spec: ShimSpec, control: String) -> [UInt8] {
        let name = ShimFiles.controlVariable + "="
        let variables = spec.environment.filter { !$0.utf8.starts(with: name.utf8) } + [name + control]
        var texts: [UInt8] = []
        for text in [spec.workingDirectory] + spec.arguments + variables {
            texts.append(contentsOf: text.utf8)
            texts.append(0)
        }
        var blob: [UInt8] = []
        for number in [texts.count, spec.arguments.count, variables.count] {
            withUnsafeBytes(of: UInt32(number)) { blob.append(contentsOf: $0) }
        }
        return blob + texts
    }

    /// Lets the parked child go. Returns 0 or errno.
    mutating func release(_ blob: [UInt8]) -> Int32 {
        var error: Int32 = 0
        _ = blob.withUnsafeBytes { ansflow_write_pair(blobPipe, $0.baseAddress, $0.count, nil, 0, &error) }
        close(blobPipe)
        blobPipe = -1
        return error
    }

    /// What failed before the program ran, once; `nil` where nothing did or nothing is known yet.
    mutating func readStatus() -> (stage: StartStage, errno: Int32)? {
        guard status >= 0 else { return nil }
        var words: (UInt32, UInt32) = (0, 0)
        let count = withUnsafeMutableBytes(of: &words) { read(status, $0.baseAddress, $0.count) }
        if count < 0 && (errno == EAGAIN || errno == EINTR) { return nil }
        close(status)
        status = -1
        guard count == 8, let stage = UInt8(exactly: words.0).flatMap(StartStage.init(rawValue:)) else { return nil }
        return (stage, Int32(bitPattern: words.1))
    }

    mutating func closeOutput() {
        guard output >= 0 else { return }
        close(output)
        output = -1
    }

    // MARK: End

    /// TERM to the step's process group. Its id can't be reused, since its leader was not reaped.
    func terminate() {
        guard mainIsAlive else { return }
        _ = Glibc.kill(-pid, SIGTERM)
        _ = Glibc.kill(-pid, SIGCONT)
    }

    func kill() {
        cgroup?.kill()
        _ = ansflow_signal_children(SIGKILL)
    }

    /// Collects all children that have ended.
    ///
    /// - Parameter sweeping: Whether to kill those that live: whose parents died they have become this process's.
    /// - Returns: How the main process ended, once.
    mutating func reap(sweeping: Bool) -> ChildStatus? {
        var main: ChildStatus?
        while true {
            var ended = ansflow_reaped()
            let result = ansflow_reap(&ended)
            guard result > 0 else {
                hasChildren = result != -ECHILD
                if sweeping && hasChildren { kill() }
                return main
            }
            userUs += ended.user_us
            systemUs += ended.system_us
            peakBytes = max(peakBytes, ended.memory_peak_bytes)
            if ended.pid == pid, mainIsAlive {
                mainIsAlive = false
                main = ended.signalled == 0 ? .exited(ended.value) : .signalled(ended.value)
            }
        }
    }

    func usage(wallMs: UInt64) -> ShimUsage {
        let time = cgroup?.processorTime ?? (userUs, systemUs)
        return ShimUsage(
            cpuUserMs: time.user / 1000, cpuSystemMs: time.system / 1000,
            memoryPeakBytes: cgroup?.memoryPeakBytes ?? peakBytes, wallMs: wallMs)
    }

    /// The shim goes: ends a child that was never released, and removes the cgroup.
    mutating func remove() {
        if blobPipe >= 0 { close(blobPipe) }
        if mainIsAlive {
            kill()
            for _ in 0..<100 where mainIsAlive {
                _ = reap(sweeping: true)
                if mainIsAlive { usleep(1000) }
            }
        }
        cgroup?.remove()
    }
}
