import Glibc

/// A cgroup that a dead shim left behind.
struct CgroupTree {
    let path: String

    var exists: Bool { Files.exists(path) }

    var isEmpty: Bool {
        guard let events = Files.text("\(path)/cgroup.events") else { return true }
        return !events.split(separator: "\n").contains("populated 1")
    }

    /// Kills all that is in it until nothing is left, then removes it. Blocks.
    ///
    /// - Returns: Whether it is empty.
    func empty(within milliseconds: UInt64) -> Bool {
        guard exists else { return true }
        let end = HostFacts.nowMs + milliseconds
        while !isEmpty {
            kill()
            if HostFacts.nowMs >= end { return false }
            usleep(10_000)
        }
        Self.remove(path, depth: 0)
        return true
    }

    private func kill() {
        let file = open("\(path)/cgroup.kill", O_WRONLY | O_CLOEXEC)
        if file >= 0 {
            defer { close(file) }
            if write(file, "1", 1) == 1 { return }
        }
        // Before Linux 5.14 there is no such file. Membership, not a remembered id, says whom to kill.
        for line in (Files.text("\(path)/cgroup.procs") ?? "").split(separator: "\n") {
            if let pid = Int32(line), pid > 1 { _ = Glibc.kill(pid, SIGKILL) }
        }
    }

    private static func remove(_ path: String, depth: Int) {
        if rmdir(path) == 0 || depth > 16 { return }
        for name in Files.names(in: path) where isDirectory("\(path)/\(name)") {
            remove("\(path)/\(name)", depth: depth + 1)
        }
        rmdir(path)
    }

    private static func isDirectory(_ path: String) -> Bool {
        var info = stat()
        return lstat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
    }
}
