import Glibc

/// Sizes, ages and removal of directories.
enum DirectoryTree {
    /// Bytes on disk of all files below.
    static func bytes(_ directory: String) -> Int64 {
        var total: Int64 = 0
        visit(directory) { total += Int64($1.st_blocks) * 512 }
        return total
    }

    /// Never follows symbolic links.
    static func remove(_ directory: String) {
        visit(directory) { path, status in
            if status.st_mode & S_IFMT == S_IFDIR { rmdir(path) } else { unlink(path) }
        }
        rmdir(directory)
    }

    /// Calls for every entry below, folders after what they hold.
    private static func visit(_ directory: String, depth: Int = 0, _ each: (String, stat) -> Void) {
        guard depth < 16 else { return }
        for name in PrivateFiles.names(in: directory) {
            let path = "\(directory)/\(name)"
            var status = stat()
            guard lstat(path, &status) == 0 else { continue }
            if status.st_mode & S_IFMT == S_IFDIR { visit(path, depth: depth + 1, each) }
            each(path, status)
        }
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Seconds since 1970 of the last ``touch(_:)``; 0 where there is none.
    static func age(_ path: String) -> Int64 {
        var status = stat()
        return lstat(path, &status) == 0 ? Int64(status.st_mtim.tv_sec) : 0
    }

    /// Marks a directory as used now.
    static func touch(_ directory: String) { utimensat(AT_FDCWD, directory, nil, 0) }

    /// - Returns: whether it is there afterwards, with parents, for this user only.
    static func make(_ directory: String) -> Bool {
        var path = ""
        for part in directory.split(separator: "/") {
            path += "/\(part)"
            if mkdir(path, 0o700) != 0, errno != EEXIST { return false }
        }
        return access(directory, W_OK | X_OK) == 0
    }
}
