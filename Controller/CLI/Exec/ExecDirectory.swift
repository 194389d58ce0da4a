import AgentExec
import FoundationEssentials
import Glibc

/// Where one `ansflow exec` keeps its workspaces and logs while it runs.
package struct ExecDirectory: Sendable {
    package let path: String
    private static let keptName = "kept"
    private static let settingsName = "exec.json"

    /// What the built-in steps, which run in processes of their own, have to know.
    package struct Settings: Codable, Equatable, Sendable {
        /// The working tree.
        package var source: String?
        package var inPlace: Bool
        /// Where artifacts are kept; absolute.
        package var artifacts: String
    }

    /// Makes one, after those of calls that were killed are removed.
    package static func make(_ settings: Settings) throws -> ExecDirectory {
        let parent = parentDirectory
        try FileIO.makeDirectory(parent, mode: 0o700)
        sweep(parent)
        let directory = ExecDirectory(path: "\(parent)/\(HostFacts.randomName(bytes: 6))")
        try FileIO.makeDirectory(directory.path, mode: 0o700)
        let bytes = Array(try JSONEncoder().encode(settings))
        try FileIO.write(bytes, to: "\(directory.path)/\(settingsName)", mode: 0o600)
        return directory
    }

    package static func settings(in path: String) throws -> Settings {
        let bytes = try FileIO.read("\(path)/\(settingsName)", limit: 1 << 20)
        return try JSONDecoder().decode(Settings.self, from: Data(bytes))
    }

    /// `ansflow/exec` in the user's cache directory, else in the one for temporary files.
    private static var parentDirectory: String {
        let environment = ProcessInfo.processInfo.environment
        for (name, rest) in [("XDG_CACHE_HOME", ""), ("HOME", "/.cache"), ("TMPDIR", "")] {
            if let base = environment[name], base.hasPrefix("/"), access(base, W_OK) == 0 {
                return "\(base)\(rest)/ansflow/exec"
            }
        }
        return "/tmp/ansflow-\(getuid())/exec"
    }

    /// Removes what calls left that did not end by themselves.
    private static func sweep(_ parent: String) {
        for name in (try? TreeCopy.names(in: parent)) ?? [] {
            let directory = ExecDirectory(path: "\(parent)/\(name)")
            guard access("\(directory.path)/\(keptName)", F_OK) != 0 else { continue }
            // Whoever runs holds the lock; a directory that has none has just been made.
            let paths = AgentPaths(root: directory.path)
            guard access(paths.lock, F_OK) == 0, let data = try? DataDirectory(paths) else { continue }
            directory.remove(storeID: data.storeID)
        }
    }

    /// Marks it as kept for its user.
    package func keep() {
        try? FileIO.write([], to: "\(path)/\(Self.keptName)", mode: 0o600)
    }

    /// Removes all of it, and the cgroup that its steps ran in.
    package func remove(storeID: String) {
        let workspaces = Workspaces(AgentPaths(root: path))
        for job in workspaces.existing { try? workspaces.remove(job) }
        try? FileManager.default.removeItem(atPath: path)
        if let group = ContainmentProbe.run(storeID: storeID).parent { rmdir(group) }
    }
}
