import Glibc

/// Starts programs for the tests.
enum Programs {
    /// Starts `arguments[0]` and does not wait.
    ///
    /// - Parameter ownGroup: Whether it leads a process group of its own.
    static func spawn(_ arguments: [String], ownGroup: Bool = false) throws -> pid_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        if ownGroup { posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP)) }
        var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var pid: pid_t = 0
        let failed = posix_spawnp(&pid, arguments[0], nil, &attributes, &pointers, environ)
        guard failed == 0 else { throw TestFailure("\(arguments[0]) can't be spawned: errno \(failed)") }
        return pid
    }

    /// Waits for a child; its exit code, or 128 and the signal.
    @discardableResult
    static func wait(_ pid: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
    }

    @discardableResult
    static func run(_ arguments: [String]) throws -> Int32 { wait(try spawn(arguments)) }

    /// Ids of processes whose command line holds `text`, by name of the program.
    static func find(commandLine text: String, name: String? = nil) -> [pid_t] {
        guard let directory = opendir("/proc") else { return [] }
        defer { closedir(directory) }
        var found: [pid_t] = []
        while let entry = readdir(directory) {
            let file = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard let pid = pid_t(file), pid != getpid(),
                let line = Files.read("/proc/\(file)/cmdline"),
                String(decoding: line.map { $0 == 0 ? 32 : $0 }, as: UTF8.self).contains(text)
            else { continue }
            if let name, Files.text("/proc/\(file)/comm") != "\(name)\n" { continue }
            found.append(pid)
        }
        return found
    }
}

struct TestFailure: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

enum Files {
    static func read(_ path: String) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = buffer.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress, $0.count) }
            guard count > 0 else { return bytes }
            bytes += buffer[0..<count]
        }
    }

    static func text(_ path: String) -> String? { read(path).map { String(decoding: $0, as: UTF8.self) } }

    static func write(_ path: String, _ text: String) {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o700)
        defer { close(file) }
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
}

/// Waits until `condition` holds, for at most `seconds`.
func eventually(within seconds: Double = 20, _ condition: () throws -> Bool) rethrows -> Bool {
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end {
        if try condition() { return true }
        usleep(5_000)
    }
    return try condition()
}
