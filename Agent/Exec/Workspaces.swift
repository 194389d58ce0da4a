import Glibc

/// Directories of job attempts: `work/<job attempt>/{src,tmp}`, and fresh ones without an owner: `work/ready-<name>/{src,tmp}`.
package struct Workspaces: Sendable {
    private let paths: AgentPaths

    package init(_ paths: AgentPaths) { self.paths = paths }

    private static let readyPrefix = "ready-"

    private func ready(_ name: String) -> String { "\(paths.work)/\(Self.readyPrefix)\(name)" }

    /// Makes a workspace before it is known whose it will be, so that the start of a step need not wait for it.
    package func prepare(_ name: String) throws(FileFailure) {
        try Files.makeDirectory(ready(name))
        try Files.makeDirectory("\(ready(name))/src", mode: 0o755)
        try Files.makeDirectory("\(ready(name))/tmp")
    }

    /// Names of those that were prepared and that nobody took; nothing was ever in them.
    package var prepared: [String] {
        Files.names(in: paths.work).filter { $0.hasPrefix(Self.readyPrefix) }
            .map { String($0.dropFirst(Self.readyPrefix.count)) }
    }

    package func discard(prepared name: String) throws(FileFailure) {
        try TreeRemoval.remove(name: Self.readyPrefix + name, in: paths.work)
    }

    /// Makes what is missing of a job attempt's workspace.
    ///
    /// - Parameter prepared: One to take where the job attempt has none yet.
    /// - Returns: Whether it was taken.
    @discardableResult
    package func make(_ job: Int64, from prepared: String? = nil) throws(FileFailure) -> Bool {
        // Refused where the job attempt's own one is there and holds anything.
        if let prepared, rename(ready(prepared), paths.workspace(job)) == 0 { return true }
        try Files.makeDirectory(paths.workspace(job))
        try Files.makeDirectory(paths.source(job), mode: 0o755)
        try Files.makeDirectory(paths.temporary(job))
        return false
    }

    /// Those on the disk.
    package var existing: [Int64] { Files.names(in: paths.work).compactMap { Int64($0) } }

    /// Removes a workspace. Blocks for as long as the tree is large.
    package func remove(_ job: Int64) throws(FileFailure) {
        try TreeRemoval.remove(name: String(job), in: paths.work)
    }
}

/// Removes a directory tree that a stranger made.
///
/// Works on open directories only, so that no symbolic link, also one that is put in place meanwhile, leads out of the tree. A directory
/// without permission to write gets it first.
enum TreeRemoval {
    /// Deeper trees are renamed upwards first; a descriptor is open for each level.
    private static let depthMax = 256

    static func remove(name: String, in parent: String) throws(FileFailure) {
        let directory = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw FileFailure("Can't open", parent, errno) }
        defer { close(directory) }
        for _ in 0..<64 {
            let failed = entry(name, in: directory, root: directory, depth: 0)
            if failed == 0 { return }
            // Something deep was moved up, or somebody still writes there: again.
            if failed != ENOTEMPTY && failed != EAGAIN {
                throw FileFailure("Can't remove", "\(parent)/\(name)", failed)
            }
        }
        throw FileFailure("Can't remove", "\(parent)/\(name)", ENOTEMPTY)
    }

    /// - Returns: 0 or errno.
    private static func entry(_ name: String, in parent: Int32, root: Int32, depth: Int) -> Int32 {
        if unlinkat(parent, name, 0) == 0 || errno == ENOENT { return 0 }
        guard errno == EISDIR || errno == EPERM || errno == EACCES else { return errno }
        if unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT { return 0 }
        if errno == ENOTDIR { return EPERM }
        if depth >= depthMax { return moveUp(name, from: parent, to: root) }
        var directory = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        if directory < 0, errno == EACCES, fchmodat(parent, name, 0o700, 0) == 0 {
            directory = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        }
        guard directory >= 0 else { return errno }
        var info = stat()
        if fstat(directory, &info) == 0, info.st_mode & 0o700 != 0o700 { fchmod(directory, 0o700) }
        let failed = contents(of: directory, root: root, depth: depth)
        if failed != 0 { return failed }
        return unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : errno
    }

    /// Takes over `directory` and closes it.
    private static func contents(of directory: Int32, root: Int32, depth: Int) -> Int32 {
        guard let stream = fdopendir(directory) else {
            let error = errno
            close(directory)
            return error
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in Array(raw.prefix { $0 != 0 }) }
            let failed = remove(name, in: dirfd(stream), root: root, depth: depth, later: &names)
            if failed != 0 { return failed }
        }
        for name in names {
            let failed = entry(name, in: dirfd(stream), root: root, depth: depth + 1)
            if failed != 0 { return failed }
        }
        return 0
    }

    /// Removes plain files at once by their bytes, which need not be UTF-8; directories come later.
    private static func remove(
        _ name: [UInt8], in directory: Int32, root: Int32, depth: Int, later: inout [String]
    ) -> Int32 {
        if name == [46] || name == [46, 46] { return 0 }
        var path = name.map { CChar(bitPattern: $0) }
        path.append(0)
        if unlinkat(directory, path, 0) == 0 || errno == ENOENT { return 0 }
        if unlinkat(directory, path, AT_REMOVEDIR) == 0 { return 0 }
        if let text = String(validating: name, as: UTF8.self) {
            later.append(text)
            return 0
        }
        // A directory whose name is no text gets one.
        let fresh = "ansflow-\(HostFacts.randomName(bytes: 8))"
        guard renameat(directory, path, directory, fresh) == 0 else { return errno }
        later.append(fresh)
        return 0
    }

    private static func moveUp(_ name: String, from parent: Int32, to root: Int32) -> Int32 {
        renameat(parent, name, root, "gone-\(HostFacts.randomName(bytes: 8))") == 0 ? 0 : errno
    }
}
