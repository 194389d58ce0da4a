import Crypto
import Glibc

/// A call of the system that failed while files were copied.
struct FileFailure: Error, CustomStringConvertible {
    let description: String

    init(_ what: String, _ path: String, _ code: Int32 = errno) {
        description = "\(path) can't be \(what): \(String(cString: strerror(code)))."
    }
}

/// Files of backups. Every method blocks.
enum BackupFiles {
    private static let pieceBytes = 1 << 20

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    static func size(_ path: String) -> UInt64? {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG ? UInt64(status.st_size) : nil
    }

    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Makes a directory and its parents, for the owner alone.
    static func makeDirectories(_ path: String) throws(FileFailure) {
        if isDirectory(path) { return }
        if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let parent = parent(of: path) else { throw FileFailure("made", path) }
        try makeDirectories(parent)
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw FileFailure("made", path) }
    }

    static func parent(of path: String) -> String? {
        guard let slash = path.lastIndex(of: "/") else { return nil }
        return slash == path.startIndex ? nil : String(path[..<slash])
    }

    /// Names in a directory, sorted; none where it is not there.
    static func names(in path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Files below a directory, by their names below it, sorted. Symbolic links are none.
    static func tree(_ root: String, below prefix: String = "") -> [String] {
        var found: [String] = []
        for name in names(in: prefix.isEmpty ? root : "\(root)/\(prefix)") {
            let relative = prefix.isEmpty ? name : "\(prefix)/\(name)"
            if isDirectory("\(root)/\(relative)") {
                found += tree(root, below: relative)
            } else {
                found.append(relative)
            }
        }
        return found
    }

    static func removeTree(_ root: String) {
        for name in names(in: root) {
            let path = "\(root)/\(name)"
            if isDirectory(path) { removeTree(path) } else { unlink(path) }
        }
        rmdir(root)
    }

    static func syncDirectory(_ path: String) throws(FileFailure) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileFailure("opened", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileFailure("synced", path) }
    }

    /// Makes the contents of a file that is there durable.
    static func sync(_ path: String) throws(FileFailure) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileFailure("opened", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileFailure("synced", path) }
    }

    static func read(_ path: String, max: Int) throws(FileFailure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw FileFailure("read", path) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileFailure("read", path) }
            if count == 0 { return bytes }
            guard bytes.count + count <= max else { throw FileFailure("read", path, EFBIG) }
            bytes += piece[..<count]
        }
    }

    /// Writes a new file, durable, for the owner alone.
    static func write(_ bytes: [UInt8], to path: String) throws(FileFailure) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw FileFailure("made", path) }
        defer { close(descriptor) }
        try append(bytes[...], descriptor, path)
        guard fsync(descriptor) == 0 else { throw FileFailure("synced", path) }
    }

    private static func append(_ bytes: ArraySlice<UInt8>, _ descriptor: Int32, _ path: String) throws(FileFailure) {
        var left = bytes
        while !left.isEmpty {
            let count = left.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw FileFailure("written", path) }
            left = left.dropFirst(count)
        }
    }

    /// SHA-256 of a file in lower-case hex, with its size.
    static func digest(_ path: String) throws(FileFailure) -> (sha256: String, bytes: UInt64) {
        try pass(path, to: nil, bytes: nil)
    }

    /// Copies the first `bytes` of a file, all of it without. Fewer bytes than that are an error.
    ///
    /// - Returns: SHA-256 of what was copied, and its size.
    static func copy(
        _ source: String, to target: String, bytes: UInt64? = nil
    ) throws(FileFailure) -> (sha256: String, bytes: UInt64) {
        try pass(source, to: target, bytes: bytes)
    }

    private static func pass(
        _ source: String, to target: String?, bytes: UInt64?
    ) throws(FileFailure) -> (sha256: String, bytes: UInt64) {
        let input = open(source, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard input >= 0 else { throw FileFailure("read", source) }
        defer { close(input) }
        var output: Int32 = -1
        if let target {
            output = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard output >= 0 else { throw FileFailure("made", target) }
        }
        defer { if output >= 0 { close(output) } }
        var hash = SHA256()
        var done: UInt64 = 0
        var piece = [UInt8](repeating: 0, count: pieceBytes)
        while bytes.map({ done < $0 }) ?? true {
            let want = Int(min(UInt64(piece.count), (bytes ?? .max) - done))
            let count = piece.withUnsafeMutableBytes { Glibc.read(input, $0.baseAddress, want) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileFailure("read", source) }
            if count == 0 { break }
            piece.withUnsafeBytes { hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            if let target { try append(piece[..<count], output, target) }
            done += UInt64(count)
        }
        if let bytes, done < bytes { throw FileFailure("read to its end", source, EIO) }
        if let target, fsync(output) != 0 { throw FileFailure("synced", target) }
        return (hex(hash.finalize()), done)
    }

    static func hex(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

/// Who may do what with a file.
package struct FileFacts: Sendable {
    package var owner: UInt32
    package var isOpenToOthers: Bool

    /// `nil` where it is not there.
    package init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        owner = status.st_uid
        isOpenToOthers = status.st_mode & 0o077 != 0
    }
}
