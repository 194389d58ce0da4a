import Glibc

/// Runs a small program to its end and takes what it writes; for questions to git.
package enum Capture {
    package struct Outcome: Equatable, Sendable {
        /// Its exit code; 128 and the signal's number where it was ended by one.
        package var code: Int32
        package var output: [UInt8]

        package var succeeded: Bool { code == 0 }
        /// Without the line feed at its end.
        package var text: String {
            var bytes = output[...]
            while bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    /// - Parameters:
    ///   - program: looked for in `PATH`.
    ///   - quiet: whether its standard error goes nowhere instead of to this process's own.
    ///   - limit: bytes of output; what comes behind them is an error.
    /// - Throws: ``ClientFailure`` where it can't be started or says too much.
    package static func run(
        _ program: String, _ arguments: [String], quiet: Bool = true, limit: Int = 64 << 20
    ) throws -> Outcome {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw ClientFailure(.usage, "A pipe cannot be made: \(FileIO.reason()).") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[0]) }
        let pid: pid_t
        do {
            defer { close(ends[1]) }
            pid = try start(program, arguments, output: ends[1], quiet: quiet)
        }
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = read(ends[0], &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            output += buffer[..<count]
            guard output.count <= limit else {
                kill(pid, SIGKILL)
                _ = wait(for: pid)
                throw ClientFailure(.usage, "`\(program)` says more than \(limit) bytes.")
            }
        }
        return Outcome(code: wait(for: pid), output: output)
    }

    private static func start(
        _ program: String, _ arguments: [String], output: Int32, quiet: Bool
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        if quiet { posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0) }
        var argv: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
        defer { for pointer in argv { free(pointer) } }
        var pid: pid_t = 0
        let code = posix_spawnp(&pid, program, &actions, nil, &argv, environ)
        guard code == 0 else {
            throw ClientFailure(.usage, "\(program) cannot be started: \(FileIO.reason(code)).")
        }
        return pid
    }

    private static func wait(for pid: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 {
            if errno != EINTR { return 127 }
        }
        return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
    }
}
