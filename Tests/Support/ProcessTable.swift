import Foundation

/// What `/proc` says of processes that tests look for.
package enum ProcessTable {
    /// Whether the process is there and not a zombie.
    package static func isAlive(_ pid: Int32) -> Bool {
        let stat = TextFile.read("/proc/\(pid)/stat")
        guard let end = stat.lastIndex(of: ")") else { return false }
        let state = stat[stat.index(after: end)...].drop { $0 == " " }.first
        return state != "Z" && state != "X"
    }

    package static func residentBytes(_ pid: Int32) -> Int { kilobytes(pid, "VmRSS:") * 1024 }
    /// The most that it ever had resident.
    package static func peakBytes(_ pid: Int32) -> Int { kilobytes(pid, "VmHWM:") * 1024 }

    private static func kilobytes(_ pid: Int32, _ name: String) -> Int {
        for line in TextFile.lines("/proc/\(pid)/status") where line.hasPrefix(name) {
            return line.split(separator: " ").dropFirst().first.flatMap { Int($0.filter(\.isNumber)) } ?? 0
        }
        return 0
    }

    /// Living processes whose working directory or command line lies in `directory`, which must be a test's own.
    package static func living(under directory: String) -> [Int32] {
        precondition(directory.hasPrefix("/tmp/") && directory.count > 8, "only a test's own directory is searched for")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { Int32($0) }.filter { pid in
            guard pid != getpid(), isAlive(pid) else { return false }
            let words = TextFile.bytes("/proc/\(pid)/cmdline").split(separator: 0)
            if words.contains(where: { String(decoding: $0, as: UTF8.self).hasPrefix(directory + "/") }) { return true }
            let place = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/cwd")
            return place?.hasPrefix(directory + "/") ?? false
        }
    }

    /// Shims of an agent's data directory.
    package static func shims(of dataDirectory: String) -> [Int32] {
        living(under: dataDirectory).filter { pid in
            let words = TextFile.bytes("/proc/\(pid)/cmdline").split(separator: 0)
            return words.first.map { String(decoding: $0, as: UTF8.self).hasSuffix("ansflow-shim") } ?? false
        }
    }
}
