import Glibc

/// A file or directory that can't be used: what, which and why, as a sentence.
package struct FileFailure: Error, Equatable, CustomStringConvertible {
    package var description: String
    package var code: Int32

    package init(_ what: String, _ path: String, _ code: Int32) {
        self.code = code
        description = "\(what) \(path): \(Self.text(of: code))."
    }

    package static func text(of code: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// Small files, whole.
enum Files {
    /// At most `limit` bytes of a regular file that is not a symbolic link.
    ///
    /// - Returns: `nil` where there is no such file.
    static func read(_ path: String, limit: Int) throws(FileFailure) -> [UInt8]? {
        // Non-blocking, so that a FIFO of that name holds nobody up.
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard file >= 0 else {
            if errno == ENOENT || errno == ELOOP { return nil }
            throw FileFailure("Can't open", path, errno)
        }
        defer { close(file) }
        var info = stat()
        guard fstat(file, &info) == 0, info.st_mode & S_IFMT == S_IFREG else { return nil }
        return try contents(file, path, limit: limit)
    }

    /// At most `limit` bytes of whatever `path` is; for files of the kernel.
    static func text(_ path: String, limit: Int = 1 << 20) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        guard let bytes = try? contents(file, path, limit: limit) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func contents(_ file: Int32, _ path: String, limit: Int) throws(FileFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        while bytes.count < limit {
            let want = min(chunk.count, limit - bytes.count)
            let count = chunk.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress, want) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileFailure("Can't read", path, errno) }
            if count == 0 { break }
            bytes.append(contentsOf: chunk[0..<count])
        }
        return bytes
    }

    /// Replaces a file as a whole, durably.
    static func replace(_ path: String, _ bytes: [UInt8]) throws(FileFailure) {
        let temporary = "\(path).new"
        let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw FileFailure("Can't make", temporary, errno) }
        let failed = writeAll(file, bytes)
        let synced = failed == 0 && fdatasync(file) != 0 ? errno : failed
        close(file)
        guard synced == 0 else { throw FileFailure("Can't write", temporary, synced) }
        guard rename(temporary, path) == 0 else { throw FileFailure("Can't replace", path, errno) }
        syncDirectory(of: path)
    }

    static func syncDirectory(of path: String) {
        let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let directory = open(parent.isEmpty ? "/" : parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { return }
        fsync(directory)
        close(directory)
    }

    /// - Returns: 0 or errno.
    static func writeAll(_ file: Int32, _ bytes: [UInt8]) -> Int32 {
        bytes.withUnsafeBytes { raw in
            var done = 0
            while done < raw.count {
                let count = Glibc.write(file, raw.baseAddress?.advanced(by: done), raw.count - done)
                if count < 0, errno == EINTR { continue }
                if count < 0 { return errno }
                done += count
            }
            return 0
        }
    }

    static func makeDirectory(_ path: String, mode: mode_t = 0o700) throws(FileFailure) {
        guard mkdir(path, mode) == 0 || errno == EEXIST else {
            throw FileFailure("Can't make the directory", path, errno)
        }
    }

    /// Names in a directory, sorted; empty where it can't be read.
    static func names(in path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    static func exists(_ path: String) -> Bool {
        var info = stat()
        return lstat(path, &info) == 0
    }
}
