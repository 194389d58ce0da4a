import Glibc

/// Free room for what must be kept.
struct Disk: Sendable {
    var directory: String
    var floorBytes: UInt64

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Bytes that this process may still write; nil where the system does not say.
    var freeBytes: UInt64? {
        var status = statvfs()
        guard statvfs(directory, &status) == 0 else { return nil }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize)
    }

    /// Whether a piece of 1 MiB has room now, quotas and reserved blocks minded: by making one, which goes at once.
    var takesBytes: Bool {
        let path = directory + "/.room"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return false }
        defer {
            close(descriptor)
            unlink(path)
        }
        return posix_fallocate(descriptor, 0, 1 << 20) == 0
    }

    /// Why no new run is to be taken; nil while there is room.
    var shortage: String? {
        guard let free = freeBytes, free < floorBytes else { return nil }
        let mib = UInt64(1024 * 1024)
        return
            "\(free / mib) MiB are free where AnsFlow keeps its data; at least \(floorBytes / mib) MiB must be. Free some room."
    }
}
