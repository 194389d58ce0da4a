import Glibc

/// Copies files with their modes and times; symbolic links stay links.
package struct TreeCopy {
    package private(set) var files = 0
    package private(set) var bytes: Int64 = 0
    private var made: Set<String> = []
    private var buffer = [UInt8](repeating: 0, count: 256 * 1024)

    package init() {}

    /// Copies `path` from below one directory to below another. A path that is not there is left out; a directory, such as a
    /// submodule, is copied whole but for its `.git`.
    package mutating func copy(_ path: String, from source: String, to target: String) throws {
        try copy(path, from: source, to: target, as: path)
    }

    package mutating func copy(_ path: String, from source: String, to target: String, as name: String) throws {
        var info = stat()
        let (old, new) = ("\(source)/\(path)", "\(target)/\(name)")
        guard lstat(old, &info) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return }
            throw failure("read", old)
        }
        try makeParents(of: name, in: target)
        switch info.st_mode & S_IFMT {
        case S_IFLNK: try copyLink(old, to: new)
        case S_IFREG: try copyFile(old, info, to: new)
        case S_IFDIR:
            for name in try Self.names(in: old) where name != ".git" {
                try copy("\(path)/\(name)", from: source, to: target)
            }
        // Sockets, FIFOs and devices are nobody's source.
        default: break
        }
    }

    /// Names in a directory, sorted, without `.` and `..`.
    package static func names(in directory: String) throws -> [String] {
        guard let stream = opendir(directory) else { throw failure("read", directory) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    private mutating func makeParents(of name: String, in target: String) throws {
        var path = target
        for part in name.split(separator: "/").dropLast() {
            path += "/\(part)"
            guard made.insert(path).inserted else { continue }
            guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw failure("make", path) }
        }
    }

    private mutating func copyLink(_ old: String, to new: String) throws {
        var text = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = readlink(old, &text, Int(PATH_MAX))
        guard count >= 0 else { throw failure("read", old) }
        text[count] = 0
        unlink(new)
        guard symlink(text, new) == 0 else { throw failure("make", new) }
        files += 1
    }

    private mutating func copyFile(_ old: String, _ info: stat, to new: String) throws {
        let from = open(old, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard from >= 0 else { throw failure("read", old) }
        defer { close(from) }
        unlink(new)
        let into = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, info.st_mode & 0o777)
        guard into >= 0 else { throw failure("make", new) }
        defer { close(into) }
        while true {
            let count = read(from, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure("read", old) }
            if count == 0 { break }
            guard FileIO.writeAll(Array(buffer[..<count]), to: into) else { throw failure("write", new) }
            bytes += Int64(count)
        }
        let times = [info.st_atim, info.st_mtim]
        futimens(into, times)
        files += 1
    }

    private func failure(_ what: String, _ path: String) -> ClientFailure { Self.failure(what, path) }

    private static func failure(_ what: String, _ path: String) -> ClientFailure {
        let words = ["read": "read", "make": "made", "write": "written"]
        return ClientFailure(.usage, "\(path) cannot be \(words[what] ?? what): \(FileIO.reason()).")
    }
}
