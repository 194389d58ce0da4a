import Glibc

/// Where the agent may make cgroups of version 2 for its steps.
package struct ContainmentProbe: Equatable, Sendable {
    /// The directory in which shims make their cgroups; `nil` where containment is best effort.
    package var parent: String?
    /// Why it is so, for people.
    package var explanation: String

    /// Looks for a writable cgroup of version 2 and makes `ansflow-<store id>` in it.
    ///
    /// - Parameters:
    ///   - mounts: The text of `/proc/self/mounts`.
    ///   - membership: The text of `/proc/self/cgroup`.
    package static func run(
        storeID: String, mounts: String? = Files.text("/proc/self/mounts"),
        membership: String? = Files.text("/proc/self/cgroup")
    ) -> ContainmentProbe {
        let lines = (mounts ?? "").split(separator: "\n").map { $0.split(separator: " ") }
        guard let mount = lines.first(where: { $0.count > 2 && $0[2] == "cgroup2" }).map({ String($0[1]) }) else {
            return ContainmentProbe(parent: nil, explanation: "This host has no cgroup of version 2.")
        }
        let own = (membership ?? "").split(separator: "\n").first { $0.hasPrefix("0::") }.map {
            String($0.dropFirst(3))
        }
        let name = "ansflow-\(storeID.prefix(16))"
        // The agent's own cgroup is the one that was delegated to it, if any; the root is writable for root only.
        let bases = [own ?? "/", "/"].map { $0 == "/" ? mount : mount + $0 }
        for base in bases {
            let path = "\(base)/\(name)"
            if mkdir(path, 0o755) == 0 || errno == EEXIST, isUsable(path) {
                return ContainmentProbe(parent: path, explanation: "Steps run in cgroups of version 2 below \(path).")
            }
        }
        return ContainmentProbe(
            parent: nil,
            explanation: "No cgroup can be made below \(bases[0]). Under systemd, say Delegate=yes in the agent's unit."
        )
    }

    private static func isUsable(_ path: String) -> Bool {
        let probe = "\(path)/probe-\(getpid())"
        guard mkdir(probe, 0o755) == 0 else { return false }
        defer { rmdir(probe) }
        return access("\(probe)/cgroup.procs", W_OK) == 0 && access("\(probe)/cgroup.events", R_OK) == 0
    }
}
