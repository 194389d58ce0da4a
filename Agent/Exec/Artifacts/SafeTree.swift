import AnsFlowProtocol
import Glibc

/// Files below a folder, reached part by part on open directories, so that no symbolic link leads out of it, also none that is put in
/// place meanwhile. All methods block.
struct SafeTree: Sendable {
    struct Found: Equatable, Sendable {
        /// Below the folder, with `/`.
        var path: String
        var isExecutable: Bool
    }

    /// What a walk found, and what it left out.
    struct Walk: Equatable, Sendable {
        var files: [Found] = []
        var links = 0
        var others = 0
    }

    let root: String

    /// Deeper folders are refused: a descriptor is open for each level.
    private static let depthMax = 128

    // MARK: Reading

    /// Regular files that match, ordered by path.
    ///
    /// - Throws: ``ArtifactFault/refused(_:)`` where there are too many, a name can't be kept, or a folder can't be read.
    func walk(_ globs: PathGlobs, limit: Int) throws(ArtifactStepFailure) -> Walk {
        var walk = Walk()
        let descriptor = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("Can't read", root) }
        try visit(descriptor, "", globs, limit, 0, &walk)
        walk.files.sort { $0.path < $1.path }
        return walk
    }

    /// Takes over `directory` and closes it.
    private func visit(
        _ directory: Int32, _ folder: String, _ globs: PathGlobs, _ limit: Int, _ depth: Int, _ walk: inout Walk
    ) throws(ArtifactStepFailure) {
        guard let stream = fdopendir(directory) else {
            close(directory)
            throw failure("Can't read", folder)
        }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if bytes == [46] || bytes == [46, 46] { continue }
            let name = String(decoding: bytes, as: UTF8.self)
            let path = folder.isEmpty ? name : "\(folder)/\(name)"
            var status = stat()
            // What has gone meanwhile was not there.
            guard name.withCString({ fstatat(dirfd(stream), $0, &status, AT_SYMLINK_NOFOLLOW) }) == 0 else {
                if Array(name.utf8) != bytes, globs.mayMatch(below: folder) { throw Self.badName(path) }
                continue
            }
            switch status.st_mode & S_IFMT {
            case S_IFDIR:
                guard globs.mayMatch(below: path), name != ".git" || globs.names(".git") else { continue }
                guard depth < Self.depthMax else {
                    throw ArtifactStepFailure("\(path) lies more than \(Self.depthMax) folders deep.")
                }
                let next = openat(dirfd(stream), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                if next >= 0 { try visit(next, path, globs, limit, depth + 1, &walk) }
            case S_IFREG where globs.matches(path):
                guard ArtifactLimits.isPath(path) else { throw Self.badName(path) }
                guard walk.files.count < limit else {
                    throw ArtifactStepFailure("More than \(limit) files match. Keep fewer, or one archive of them.")
                }
                walk.files.append(Found(path: path, isExecutable: status.st_mode & 0o111 != 0))
            case S_IFLNK where globs.matches(path): walk.links += 1
            case S_IFREG, S_IFLNK: break
            default: if globs.matches(path) { walk.others += 1 }
            }
        }
    }

    private static func badName(_ path: String) -> ArtifactStepFailure {
        let shown = String(
            path.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? "?" : Character($0) }.prefix(200))
        return ArtifactStepFailure(
            "\"\(shown)\" can't be kept: names are UTF-8 without control characters, paths have at most "
                + "\(ArtifactLimits.pathBytesMax) bytes.")
    }

    /// Opens a file to be read; the caller closes it.
    func openFile(_ path: String) throws(ArtifactStepFailure) -> (descriptor: Int32, size: UInt64) {
        let (folder, name) = try enter(path, making: false)
        defer { close(folder) }
        let descriptor = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("Can't open", path) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw ArtifactStepFailure("\(path) is no file any more.")
        }
        return (descriptor, UInt64(status.st_size))
    }

    // MARK: Writing

    /// Makes a file under a name of its own beside where it will be; the caller closes it.
    ///
    /// - Parameter temporary: The name, in the folder of `path`.
    func makeFile(beside path: String, temporary: String, isExecutable: Bool) throws(ArtifactStepFailure) -> Int32 {
        let (folder, _) = try enter(path, making: true)
        defer { close(folder) }
        unlinkat(folder, temporary, 0)
        let mode: mode_t = isExecutable ? 0o755 : 0o644
        let descriptor = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failure("Can't write", path) }
        return descriptor
    }

    /// Gives a file its name.
    func rename(_ temporary: String, to path: String) throws(ArtifactStepFailure) {
        let (folder, name) = try enter(path, making: false)
        defer { close(folder) }
        guard renameat(folder, temporary, folder, name) == 0 else { throw failure("Can't write", path) }
    }

    func remove(_ temporary: String, beside path: String) {
        guard let (folder, _) = try? enter(path, making: false) else { return }
        unlinkat(folder, temporary, 0)
        close(folder)
    }

    /// The open folder of `path`, which the caller closes, and the path's last part.
    private func enter(_ path: String, making: Bool) throws(ArtifactStepFailure) -> (Int32, String) {
        guard ArtifactLimits.isPath(path) else { throw ArtifactStepFailure("A path leaves the workspace.") }
        var parts = path.split(separator: "/").map(String.init)
        let name = parts.removeLast()
        var folder = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw failure("Can't open", root) }
        for part in parts {
            if making, mkdirat(folder, part, 0o755) != 0, errno != EEXIST {
                let failed = failure("Can't make the folder of", path)
                close(folder)
                throw failed
            }
            let next = openat(folder, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            let failed = next < 0 ? failure("Can't enter the folder of", path) : nil
            close(folder)
            if let failed { throw failed }
            folder = next
        }
        return (folder, name)
    }

    private func failure(_ what: String, _ path: String) -> ArtifactStepFailure {
        ArtifactStepFailure(FileFailure(what, path, errno).description)
    }
}

/// Why a built-in step about artifacts ends; a sentence for its log.
struct ArtifactStepFailure: Error, Equatable, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}
