import Crypto
import Glibc

/// A call of the system that failed; the text is for the controller's log.
struct ContentFailure: Error, CustomStringConvertible {
    var what: String
    var code: Int32

    init(_ what: String, _ code: Int32 = errno) {
        self.what = what
        self.code = code
    }

    var isFull: Bool { code == ENOSPC || code == EDQUOT }
    var description: String { "\(what): \(String(cString: strerror(code)))" }
}

/// The files of the store: `objects/ab/<sha256>`, whole and verified, and `partial/<owner>-<sha256>`, what has come so far.
///
/// Names are digests and numbers only. All methods block.
struct ContentFiles: Sendable {
    private let root: String

    /// Makes what is missing of the store's directories.
    init(_ root: String) throws {
        self.root = root
        for path in [root, root + "/objects", root + "/partial"] {
            guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw ContentFailure("mkdir \(path)") }
        }
        try Self.syncDirectory(root)
    }

    private func folder(_ digest: String) -> String { "\(root)/objects/\(digest.prefix(2))" }
    private func object(_ digest: String) -> String { "\(folder(digest))/\(digest)" }
    private func partial(_ digest: String, _ owner: Int64) -> String { "\(root)/partial/\(owner)-\(digest)" }

    // MARK: Objects

    /// Bytes of a whole content; nil where it is not there.
    func size(_ digest: String) -> UInt64? {
        var status = stat()
        guard lstat(object(digest), &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return UInt64(status.st_size)
    }

    /// When a content was made or touched, in seconds since 1970.
    func time(_ digest: String) -> Int64? {
        var status = stat()
        return lstat(object(digest), &status) == 0 ? Int64(status.st_mtim.tv_sec) : nil
    }

    /// Makes a content count as new, so that a sweep leaves it. False where it is not there.
    func touch(_ digest: String) -> Bool { utimensat(AT_FDCWD, object(digest), nil, AT_SYMLINK_NOFOLLOW) == 0 }

    func remove(_ digest: String) throws {
        guard unlink(object(digest)) == 0 || errno == ENOENT else { throw ContentFailure("unlink \(digest)") }
    }

    /// nil where it is not there.
    func open(_ digest: String) throws -> OpenContent? {
        let descriptor = Glibc.open(object(digest), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw ContentFailure("open \(digest)")
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let code = errno
            close(descriptor)
            throw ContentFailure("fstat \(digest)", code)
        }
        return OpenContent(descriptor, size: UInt64(status.st_size))
    }

    /// Every object with its size and when it was made or touched, in seconds since 1970.
    func eachObject(_ body: (_ digest: String, _ size: UInt64, _ time: Int64) throws -> Void) throws {
        for folder in Self.names(root + "/objects") {
            for digest in Self.names("\(root)/objects/\(folder)") {
                var status = stat()
                guard lstat("\(root)/objects/\(folder)/\(digest)", &status) == 0 else { continue }
                try body(digest, UInt64(status.st_size), Int64(status.st_mtim.tv_sec))
            }
        }
    }

    /// Where an object is: below the store, and as a path.
    func place(_ digest: String) -> (name: String, path: String) {
        ("objects/\(digest.prefix(2))/\(digest)", object(digest))
    }

    // MARK: Uploads

    /// Bytes that have come of an upload.
    func partialSize(_ digest: String, owner: Int64) -> UInt64 {
        var status = stat()
        guard lstat(partial(digest, owner), &status) == 0 else { return 0 }
        return UInt64(status.st_size)
    }

    /// Opens an upload to go on with, and reads what is there for the hash.
    func resume(_ digest: String, owner: Int64) throws -> PartialContent {
        let descriptor = Glibc.open(partial(digest, owner), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw ContentFailure("open upload of \(digest)") }
        return try PartialContent(descriptor)
    }

    func dropPartial(_ digest: String, owner: Int64) { unlink(partial(digest, owner)) }

    /// Makes an upload durable, then a whole content under its name.
    func adopt(_ upload: PartialContent, _ digest: String, owner: Int64) throws {
        try upload.sync()
        let folder = folder(digest)
        if mkdir(folder, 0o700) == 0 {
            try Self.syncDirectory(root + "/objects")
        } else if errno != EEXIST {
            throw ContentFailure("mkdir \(folder)")
        }
        guard rename(partial(digest, owner), object(digest)) == 0 else { throw ContentFailure("rename \(digest)") }
        try Self.syncDirectory(folder)
    }

    /// Removes uploads that were last written before `time`, in seconds since 1970.
    func dropPartials(before time: Int64) {
        for name in Self.names(root + "/partial") {
            var status = stat()
            let path = "\(root)/partial/\(name)"
            if lstat(path, &status) == 0, Int64(status.st_mtim.tv_sec) < time { unlink(path) }
        }
    }

    private static func syncDirectory(_ path: String) throws {
        let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ContentFailure("open \(path)") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw ContentFailure("fsync \(path)") }
    }

    private static func names(_ path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names
    }
}

/// An upload under way. Used by one task at a time.
final class PartialContent: @unchecked Sendable {
    /// Made durable in pieces, so that the last sync of a large file is short.
    private static let syncEvery: UInt64 = 256 * 1024 * 1024

    private let descriptor: Int32
    private var hasher = SHA256()
    private(set) var length: UInt64 = 0
    private var unsynced: UInt64 = 0

    /// Takes the descriptor over and reads what is there.
    fileprivate init(_ descriptor: Int32) throws {
        self.descriptor = descriptor
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw ContentFailure("read upload") }
            if count == 0 { break }
            chunk.withUnsafeBytes { hasher.update(bufferPointer: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            length += UInt64(count)
        }
    }

    deinit { close(descriptor) }

    /// Appends; after an error what was written before stays.
    func append(_ bytes: [UInt8]) throws {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress! + done, $0.count - done) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw ContentFailure("write upload") }
            done += count
        }
        hasher.update(data: bytes)
        length += UInt64(bytes.count)
        unsynced += UInt64(bytes.count)
        if unsynced >= Self.syncEvery { try sync() }
    }

    func sync() throws {
        guard fdatasync(descriptor) == 0 else { throw ContentFailure("fdatasync upload") }
        unsynced = 0
    }

    /// Of all that has come, in lower-case hex.
    var digest: String { Hex.text(hasher.finalize()) }
}

/// A whole content, open: it stays readable when its name goes.
final class OpenContent: Sendable {
    private let descriptor: Int32
    let size: UInt64

    fileprivate init(_ descriptor: Int32, size: UInt64) {
        self.descriptor = descriptor
        self.size = size
    }

    deinit { close(descriptor) }

    func read(at offset: UInt64, count: Int) throws -> [UInt8] {
        guard offset < size, count > 0 else { return [] }
        let wanted = Int(min(UInt64(count), size - offset))
        var bytes = [UInt8](repeating: 0, count: wanted)
        var done = 0
        while done < wanted {
            let count = bytes.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress! + done, wanted - done, off_t(offset) + off_t(done))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw ContentFailure("read content", count < 0 ? errno : EIO) }
            done += count
        }
        return bytes
    }
}

enum Hex {
    private static let digits = Array("0123456789abcdef".utf8)

    static func text(_ bytes: some Sequence<UInt8>) -> String {
        String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
