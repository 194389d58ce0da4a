import Glibc

/// One run of a small program that soon ends. Blocks, and needs no thread of Swift's pool, unlike the subprocess library.
struct ProgramRun {
    /// As `waitpid` gives it.
    var status: Int32
    /// The beginning of what it wrote to its standard error.
    var said: String

    var succeeded: Bool { status == 0 }

    /// How it ended, as the end of a sentence.
    var ending: String {
        status & 0x7F == 0 ? "ended with \(status >> 8 & 0xFF)" : "was ended by signal \(status & 0x7F)"
    }

    private static let saidMax = 4096

    /// Runs a program with the given variables only, no input or output, and default actions for all signals.
    ///
    /// - Parameter program: Absolute. Descriptors that are not close-on-exec reach it: it must close them itself, as shims do.
    /// - Throws: Where it can't be started.
    static func of(
        _ program: String, _ arguments: [String], environment: [String: String]
    ) throws(FileFailure) -> ProgramRun {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw FileFailure("Can't make a pipe for", program, errno) }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            // A program that writes more than the pipe holds must not wait for a reader that waits for it.
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        let (reader, writer) = (ends[0], ends[1])
        defer { close(reader) }
        var pid: pid_t = 0
        let failed = start(&pid, program, arguments, environment, errors: writer)
        close(writer)
        guard failed == 0 else { throw FileFailure("Can't execute", program, failed) }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 {
            guard errno == EINTR else { throw FileFailure("Can't wait for", program, errno) }
        }
        var bytes = [UInt8](repeating: 0, count: saidMax)
        let count = bytes.withUnsafeMutableBytes { read(reader, $0.baseAddress, $0.count) }
        return ProgramRun(status: status, said: String(decoding: bytes.prefix(max(0, count)), as: UTF8.self))
    }

    /// - Returns: 0 or errno.
    private static func start(
        _ pid: inout pid_t, _ program: String, _ arguments: [String], _ environment: [String: String], errors: Int32
    ) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var arguments = ([program] + arguments).map { strdup($0) } + [nil]
        var variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in arguments + variables { free(text) } }
        return posix_spawn(&pid, program, &actions, &attributes, &arguments, &variables)
    }
}
