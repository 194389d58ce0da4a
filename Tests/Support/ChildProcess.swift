import Foundation
import Synchronization

/// A process that a test started. It is only ever ended by its id, and only while it was not waited for.
package final class ChildProcess: @unchecked Sendable {
    package let pid: Int32
    private let lock = NSLock()
    private var status: Int32?

    /// - Parameter output: A file that standard output and error are appended to, or two.
    package init(
        _ program: String, _ arguments: [String], environment: [String: String] = [:],
        output: String = "/dev/null", errors: String? = nil
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        if let errors {
            posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        } else {
            posix_spawn_file_actions_adddup2(&actions, 1, 2)
        }
        var all = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("ANSFLOW_") }
        all.merge(environment) { _, given in given }
        var argv: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = all.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var child: Int32 = 0
        let failed = Sockets.spawnLock.withLock { _ in posix_spawn(&child, program, &actions, nil, &argv, &envp) }
        guard failed == 0 else {
            throw TestFailure("\(program) can't be started: \(String(cString: strerror(failed))).")
        }
        pid = child
    }

    /// How it ended: its exit code, or 128 and the signal; nil while it runs.
    package func ended() -> Int32? {
        lock.withLock {
            if let status { return status }
            var raw: Int32 = 0
            guard waitpid(pid, &raw, WNOHANG) == pid else { return nil }
            status = raw & 0x7F == 0 ? raw >> 8 & 0xFF : 128 + raw & 0x7F
            return status
        }
    }

    package func signal(_ signal: Int32) {
        lock.withLock { if status == nil { kill(pid, signal) } }
    }

    /// Waits for its end.
    @discardableResult
    package func wait(within seconds: Double, _ what: String = "the end of a process") throws -> Int32 {
        try eventually(within: seconds, what, pause: 5) { ended() }
    }

    /// SIGKILL, and waits.
    package func destroy() {
        signal(SIGKILL)
        signal(SIGCONT)
        _ = try? wait(within: 10)
    }

    /// Resident bytes; 0 where it is gone.
    package var residentBytes: Int { ProcessTable.residentBytes(pid) }

    /// Runs a program to its end.
    package static func run(
        _ program: String, _ arguments: [String], environment: [String: String] = [:],
        within seconds: Double = 60
    ) throws -> (code: Int32, output: String, errors: String) {
        let base = "/tmp/ansflow-run-\(getpid())-\(UUID().uuidString.prefix(8))"
        defer { for name in [".out", ".err"] { unlink(base + name) } }
        let child = try ChildProcess(
            program, arguments, environment: environment, output: base + ".out", errors: base + ".err")
        do {
            let code = try child.wait(within: seconds, "the end of \(program) \(arguments.joined(separator: " "))")
            return (code, TextFile.read(base + ".out"), TextFile.read(base + ".err"))
        } catch {
            child.destroy()
            throw TestFailure("\(error) It said: \(TextFile.read(base + ".out")) \(TextFile.read(base + ".err"))")
        }
    }
}

/// Whole files of tests.
package enum TextFile {
    package static func bytes(_ path: String) -> [UInt8] {
        FileManager.default.contents(atPath: path).map { Array($0) } ?? []
    }

    package static func read(_ path: String) -> String { String(decoding: bytes(path), as: UTF8.self) }

    /// Lines of a file; none where it is not there.
    package static func lines(_ path: String) -> [String] { read(path).split(separator: "\n").map(String.init) }

    package static func write(_ path: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    package static func size(_ path: String) -> Int {
        var info = stat()
        return stat(path, &info) == 0 ? Int(info.st_size) : 0
    }

    /// SHA-256 as `sha256sum` has it.
    package static func sha256(_ path: String) throws -> String {
        let result = try ChildProcess.run("/usr/bin/sha256sum", [path], within: 120)
        return String(result.output.prefix(64))
    }
}
