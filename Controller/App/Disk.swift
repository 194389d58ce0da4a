import Glibc

/// Free room for what must be kept.
struct Disk: Sendable {
    var directory: String
    var floorBytes: UInt64

    /// Bytes that this process may still write; nil where the system does not say.
    var freeBytes: UInt64? {
        var status = statvfs()
        guard statvfs(directory, &status) == 0 else { return nil }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize)
    }

    /// Why no new run is to be taken; nil while there is room.
    var shortage: String? {
        guard let free = freeBytes, free < floorBytes else { return nil }
        let mib = UInt64(1024 * 1024)
        return
            "\(free / mib) MiB are free where AnsFlow keeps its data; at least \(floorBytes / mib) MiB must be. Free some room."
    }
}
