import Glibc

/// A program started by `ansflow up`, with its own process group, so that an interrupt at the terminal reaches `up` alone and
/// the parts are ended in order.
package struct Child: Equatable, Sendable {
    package var pid: Int32

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - output: descriptor for its standard output and error, which stays the caller's
    ///   - errors: another one for its standard error
    ///   - session: whether it gets a session of its own and so outlives the terminal
    package static func start(
        _ program: String, _ arguments: [String], environment: [String: String], output: Int32, errors: Int32? = nil,
        session: Bool = false
    ) throws -> Child {
        keepDescriptorsHere()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, errors ?? output, 2)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var defaults = sigset_t()
        sigemptyset(&defaults)
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGCHLD] { sigaddset(&defaults, signal) }
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | (session ? Int32(0x80) : POSIX_SPAWN_SETPGROUP)
        posix_spawnattr_setflags(&attributes, Int16(flags))

        var argv: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer {
            for pointer in argv + envp { free(pointer) }
        }
        var pid: Int32 = 0
        let code = posix_spawn(&pid, program, &actions, &attributes, &argv, &envp)
        guard code == 0 else {
            throw ClientFailure(
                .usage, "\(program) cannot be started: \(FileIO.reason(code)).",
                cure: "It belongs beside the `ansflow` program: build or install all of them together.")
        }
        return Child(pid: pid)
    }

    /// Marks every descriptor but the standard ones close-on-exec: one that the caller's shell left open would stay open for as long
    /// as the child lives, and whoever waits for its end would wait for ever.
    private static func keepDescriptorsHere() {
        guard let directory = opendir("/proc/self/fd") else { return }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard let descriptor = Int32(name), descriptor > 2 else { continue }
            let flags = fcntl(descriptor, F_GETFD)
            if flags >= 0 { _ = fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC) }
        }
    }

    /// How a process ended.
    package enum Ending: Equatable, Sendable, CustomStringConvertible {
        case exited(Int32)
        case signalled(Int32)

        /// - Parameter status: as `waitpid` gives it
        package init(status: Int32) {
            let signal = status & 0x7F
            self = signal == 0 ? .exited((status >> 8) & 0xFF) : .signalled(signal)
        }

        package var description: String {
            switch self {
            case .exited(let code): "exit code \(code)"
            case .signalled(let number): "signal \(number)"
            }
        }
    }

    /// How it ended; nil while it runs.
    package func ended() -> Ending? {
        var status: Int32 = 0
        guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
        return Ending(status: status)
    }

    /// Waits for its end. Returns whether it exited with 0.
    package func wait() async throws -> Bool {
        while true {
            var status: Int32 = 0
            let result = waitpid(pid, &status, WNOHANG)
            if result == pid { return status == 0 }
            if result < 0, errno != EINTR { return false }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Asks it to end, and ends it by force after `limit`. Returns when it is gone.
    package func end(within limit: Duration) async {
        kill(pid, SIGTERM)
        let deadline = ContinuousClock.now + limit
        while ContinuousClock.now < deadline {
            var status: Int32 = 0
            let result = waitpid(pid, &status, WNOHANG)
            if result == pid || (result < 0 && errno == ECHILD) { return }
            try? await Task.sleep(for: .milliseconds(20))
        }
        kill(pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    }
}
