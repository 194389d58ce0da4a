import CAgentSystem
import Glibc

/// The shim's own cgroup of version 2, which holds the step's processes and nothing else.
final class Cgroup {
    private let path: String
    /// The open directory, for clone3.
    let directory: Int32
    /// Readable by priority when the cgroup becomes empty.
    let events: Int32
    /// The same for memory; -1 where the host counts memory elsewhere.
    let memoryEvents: Int32

    /// Makes `parent/name`; `nil` where that can't be done.
    init?(parent: String, name: String) {
        let path = "\(parent)/\(name)"
        if mkdir(path, 0o755) != 0 {
            // Left by a shim of the same name that is gone. If something lives in it, it stays and is of no use to us.
            guard errno == EEXIST, rmdir(path) == 0, mkdir(path, 0o755) == 0 else { return nil }
        }
        let directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        let events = open("\(path)/cgroup.events", O_RDONLY | O_CLOEXEC)
        guard directory >= 0, events >= 0 else {
            if directory >= 0 { close(directory) }
            if events >= 0 { close(events) }
            rmdir(path)
            return nil
        }
        self.path = path
        self.directory = directory
        self.events = events
        memoryEvents = open("\(path)/memory.events", O_RDONLY | O_CLOEXEC)
        _ = hasOutOfMemory
        _ = isEmpty
    }

    /// Whether no process lives in it or below. Reading it also arms ``events`` again.
    var isEmpty: Bool { Self.value("populated", events) != 1 }

    /// Whether the kernel killed one of its processes for want of memory.
    var hasOutOfMemory: Bool { (Self.value("oom_kill", memoryEvents) ?? 0) > 0 }

    /// Processor time of all that ever ran in it, in microseconds.
    var processorTime: (user: UInt64, system: UInt64)? {
        let file = open("\(path)/cpu.stat", O_RDONLY | O_CLOEXEC)
        defer { if file >= 0 { close(file) } }
        guard let user = Self.value("user_usec", file), let system = Self.value("system_usec", file) else { return nil }
        return (user, system)
    }

    var memoryPeakBytes: UInt64? {
        let file = open("\(path)/memory.peak", O_RDONLY | O_CLOEXEC)
        defer { if file >= 0 { close(file) } }
        return Self.text(file).flatMap { text in UInt64(text.prefix { $0 != "\n" }) }
    }

    /// Kills all that is in it, also what forks meanwhile.
    func kill() {
        let file = open("\(path)/cgroup.kill", O_WRONLY | O_CLOEXEC)
        if file >= 0 {
            defer { close(file) }
            if write(file, "1", 1) == 1 { return }
        }
        // Before Linux 5.14: one by one; the caller repeats it until nothing is left.
        let list = open("\(path)/cgroup.procs", O_RDONLY | O_CLOEXEC)
        defer { if list >= 0 { close(list) } }
        for line in (Self.text(list) ?? "").split(separator: "\n") {
            if let pid = Int32(line), pid > 1 { _ = Glibc.kill(pid, SIGKILL) }
        }
    }

    /// Removes it and what the step made below it.
    func remove() {
        close(directory)
        close(events)
        if memoryEvents >= 0 { close(memoryEvents) }
        for _ in 0..<50 {
            if Self.remove(path, depth: 0) { return }
            usleep(10_000)
        }
    }

    private static func remove(_ path: String, depth: Int) -> Bool {
        if rmdir(path) == 0 || errno == ENOENT { return true }
        guard depth < 16, let directory = opendir(path) else { return false }
        while let entry = readdir(directory) {
            guard entry.pointee.d_type == UInt8(DT_DIR) else { continue }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { _ = remove("\(path)/\(name)", depth: depth + 1) }
        }
        closedir(directory)
        return rmdir(path) == 0
    }

    /// The number behind `key` in a file of lines `key number`.
    private static func value(_ key: String, _ file: Int32) -> UInt64? {
        for line in (text(file) ?? "").split(separator: "\n") {
            let parts = line.split(separator: " ")
            if parts.count == 2, parts[0] == key { return UInt64(parts[1]) }
        }
        return nil
    }

    /// The beginning of a file, which is all of a cgroup's small ones.
    private static func text(_ file: Int32) -> String? {
        guard file >= 0 else { return nil }
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        let count = buffer.withUnsafeMutableBytes { pread(file, $0.baseAddress, $0.count, 0) }
        guard count >= 0 else { return nil }
        return String(decoding: buffer[0..<count], as: UTF8.self)
    }
}
