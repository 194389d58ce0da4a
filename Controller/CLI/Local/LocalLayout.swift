import FoundationEssentials
import Glibc

/// Where `ansflow up` keeps what.
package struct LocalLayout: Equatable, Sendable {
    /// An absolute path.
    package let root: String

    package init(root: String) {
        self.root = Paths.absolute(root)
    }

    package var controller: String { root + "/controller" }
    package var agent: String { root + "/agent" }
    package var controllerLog: String { root + "/controller.log" }
    package var agentLog: String { root + "/agent.log" }
    package var upLog: String { root + "/up.log" }
    package var lock: String { root + "/up.lock" }
    package var pid: String { root + "/up.pid" }
    package var controllerPID: String { root + "/controller.pid" }
    package var agentPID: String { root + "/agent.pid" }
    /// The address, for `down` and for a second `up`.
    package var address: String { root + "/up.url" }
    /// There once the administrator was made.
    package var administratorMark: String { root + "/administrator-made" }
    /// There once the local agent was enrolled: the file that it writes last.
    package var enrolledMark: String { agent + "/link.json" }
    /// The administrator's password, from before the controller gets it until it was shown and the agent enrolled: an `up` that is
    /// killed in between can be repeated, and nobody is locked out.
    package var pendingPassword: String { root + "/administrator-password" }

    package func has(_ path: String) -> Bool { access(path, F_OK) == 0 }

    package func mark(_ path: String) throws {
        try FileIO.write([], to: path, mode: 0o600)
    }

    package func writePID(_ pid: Int32, to path: String) throws {
        try FileIO.write(Array("\(pid)\n".utf8), to: path, mode: 0o600)
    }

    package func readPID(_ path: String) -> Int32? {
        FileIO.tail(path, lines: 1).first.flatMap { Int32($0) }
    }

    package var knownAddress: String? { FileIO.tail(address, lines: 1).first }

    /// A part that an `up` left behind when it was killed: known by its pid file and by the data directory on its command line,
    /// so that a reused pid is never taken for it.
    package func leftover(_ pidFile: String, dataDirectory: String) -> Int32? {
        guard let pid = readPID(pidFile), pid > 1,
            let data = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline")
        else { return nil }
        let words = data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        return words.contains(dataDirectory) ? pid : nil
    }

    /// Ends what an `up` that was killed left behind: the agent first. Running steps go on in their shims.
    package func endLeftovers() async throws -> Int {
        var count = 0
        for (file, directory) in [(agentPID, agent), (controllerPID, controller)] {
            guard let pid = leftover(file, dataDirectory: directory) else { continue }
            count += 1
            kill(pid, SIGTERM)
            let deadline = ContinuousClock.now + .seconds(30)
            while leftover(file, dataDirectory: directory) == pid {
                if ContinuousClock.now > deadline { kill(pid, SIGKILL) }
                try await Task.sleep(for: .milliseconds(50))
            }
            unlink(file)
        }
        return count
    }
}

/// Holds a data directory for one `ansflow up`. The lock ends with the process, however it ends.
package struct DirectoryLock: ~Copyable {
    private let descriptor: Int32

    /// Nil where another process holds it.
    package init?(_ layout: LocalLayout) throws {
        descriptor = open(layout.lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw ClientFailure(.usage, "\(layout.lock) cannot be written: \(FileIO.reason()).")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            return nil
        }
    }

    deinit { close(descriptor) }
}
