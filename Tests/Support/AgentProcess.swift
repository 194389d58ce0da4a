import Foundation
import Glibc

/// An agent that a test runs, with its data directory, over all its restarts.
package final class AgentProcess: @unchecked Sendable {
    package let name: String
    package let dataDirectory: String
    package let log: String
    package private(set) var process: ChildProcess?
    package var environment: [String: String] = [:]
    /// Those that it ever had: a directory that is made anew has another.
    private var cgroups: Set<String> = []

    package init(name: String, dataDirectory: String, log: String) {
        self.name = name
        self.dataDirectory = dataDirectory
        self.log = log
    }

    /// Runs `ansflow-agent enrol`.
    package func enrol(port: Int, token: String, labels: [String: String], slots: Int) throws {
        var arguments = [
            "enrol", "--controller", "https://127.0.0.1:\(port)", "--token", token, "--data-dir", dataDirectory,
            "--name",
            name, "--slots", String(slots),
        ]
        if !labels.isEmpty {
            arguments += ["--labels", labels.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: ",")]
        }
        let result = try ChildProcess.run(Binaries.agent, arguments)
        guard result.code == 0 else {
            throw TestFailure("Agent \(name) could not be enrolled (\(result.code)): \(result.output) \(result.errors)")
        }
    }

    package func start() throws {
        process = try ChildProcess(
            Binaries.agent, ["run", "--data-dir", dataDirectory], environment: environment, output: log)
    }

    /// kill -9 of the agent alone: its shims live on.
    package func kill() {
        if let cgroup { cgroups.insert(cgroup) }
        process?.destroy()
        process = nil
    }

    @discardableResult
    package func terminate(within seconds: Double = 30) throws -> Int32 {
        guard let process else { return 0 }
        process.signal(SIGTERM)
        defer { self.process = nil }
        return try process.wait(within: seconds, "agent \(name) ends after SIGTERM")
    }

    package var shims: [Int32] { ProcessTable.shims(of: dataDirectory) }

    /// kill -9 of its shims, and waits until they are gone.
    package func killShims() throws {
        let all = shims
        for pid in all { Glibc.kill(pid, SIGKILL) }
        try eventually(within: 10, "killed shims are gone") { all.allSatisfy { !ProcessTable.isAlive($0) } }
    }

    package func signalShims(_ signal: Int32) { for pid in shims { Glibc.kill(pid, signal) } }

    package func spool(_ attempt: Int64) -> String { "\(dataDirectory)/spool/\(attempt).log" }

    /// The cgroup below which its shims make theirs; nil where there is none.
    package var cgroup: String? {
        let id = TextFile.read("\(dataDirectory)/store-id").filter { $0.isLetter || $0.isNumber || $0 == "-" }
        guard id.count >= 16 else { return nil }
        for line in TextFile.lines("/proc/self/mounts") {
            let words = line.split(separator: " ")
            guard words.count > 2, words[2] == "cgroup2" else { continue }
            let own = TextFile.lines("/proc/self/cgroup").first { $0.hasPrefix("0::") }.map { String($0.dropFirst(3)) }
            for base in [own ?? "/", "/"] {
                let path = (base == "/" ? String(words[1]) : words[1] + base) + "/ansflow-\(id.prefix(16))"
                if TextFile.exists(path) { return path }
            }
        }
        return nil
    }

    /// Ends the agent and everything that it started.
    package func destroy() {
        kill()
        for pid in shims { Glibc.kill(pid, SIGKILL) }
        for cgroup in cgroups { Self.removeCgroup(cgroup) }
    }

    private static func removeCgroup(_ path: String) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        for name in names where TextFile.exists("\(path)/\(name)/cgroup.kill") {
            try? TextFile.append("\(path)/\(name)/cgroup.kill", "1")
        }
        _ = try? eventually(within: 5, "cgroups are empty") { () -> Bool in
            for name in names { rmdir("\(path)/\(name)") }
            return rmdir(path) == 0 || errno == ENOENT
        }
    }
}

extension TextFile {
    /// Writes to a file that is there, such as one of `/sys`.
    package static func append(_ path: String, _ text: String) throws {
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
        guard descriptor >= 0 else { throw TestFailure("\(path) can't be opened: errno \(errno).") }
        defer { close(descriptor) }
        guard Glibc.write(descriptor, text, text.utf8.count) == text.utf8.count else {
            throw TestFailure("\(path) can't be written: errno \(errno).")
        }
    }
}
