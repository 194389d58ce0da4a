import Glibc

/// How many files and connections this process may have open at a time.
enum OpenFiles {
    /// More is of no use, and makes a child process that closes all its descriptors slow.
    private static let most: rlim_t = 65_536

    /// Raises the limit as far as the system lets this process: shells and services often begin with 1,024.
    ///
    /// - Returns: the limit that holds now.
    static func raise() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        let wanted = min(limit.rlim_max, most)
        if limit.rlim_cur < wanted {
            var raised = limit
            raised.rlim_cur = wanted
            if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
        }
        return Int(min(limit.rlim_cur, rlim_t(Int32.max)))
    }

    /// Connections that people and webhooks may have: half of all, so that agents, logs and the database always find one.
    static func forPeople(of limit: Int) -> Int { max(16, limit / 2) }
}
