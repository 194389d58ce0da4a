import AgentShimCore
import Glibc

/// Where tests may make cgroups of version 2.
enum CgroupParent {
    /// A directory of this test process; `nil` where none can be made.
    static let path: String? = {
        for line in (Files.text("/proc/self/mounts") ?? "").split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 2, fields[2] == "cgroup2" else { continue }
            let path = "\(fields[1])/ansflow-test-\(getpid())"
            if mkdir(path, 0o755) == 0 || errno == EEXIST {
                atexit { if let path = CgroupParent.path { rmdir(path) } }
                return path
            }
        }
        return nil
    }()

    /// The kinds of containment that can be tried here.
    static let kinds: [Containment] = path == nil ? [.sweep] : [.sweep, .cgroup]
}
