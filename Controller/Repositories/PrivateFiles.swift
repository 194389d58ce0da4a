import ControllerCore
import Glibc

/// Files that this user alone may read, in a folder of their own, for as long as one process needs them.
enum PrivateFiles {
    /// - Returns: the folder.
    static func write(
        _ files: [(name: String, text: String)], below directory: String
    ) throws(RepositoryFailure) -> String {
        let folder = "\(directory)/\(UInt64.random(in: .min ... .max))-\(getpid())"
        guard mkdir(folder, 0o700) == 0 else { throw failure("make a folder") }
        for file in files {
            let descriptor = open("\(folder)/\(file.name)", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
            var isWritten = descriptor >= 0
            if isWritten {
                let bytes = Array(file.text.utf8)
                isWritten = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) } == bytes.count
                close(descriptor)
            }
            guard isWritten else {
                let reason = failure("write a key")
                remove(folder)
                throw reason
            }
        }
        return folder
    }

    /// Overwrites nothing: the folder lies on the same disk as the database, and its blocks are freed at once.
    static func remove(_ folder: String) {
        for name in names(in: folder) { unlink("\(folder)/\(name)") }
        rmdir(folder)
    }

    /// What a killed process left.
    static func removeAll(below directory: String) {
        for name in names(in: directory) { remove("\(directory)/\(name)") }
    }

    static func names(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var found: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { found.append(name) }
        }
        return found
    }

    private static func failure(_ what: String) -> RepositoryFailure {
        RepositoryFailure(
            .contact, .here, "The controller can't \(what) for git: \(String(cString: strerror(errno))).")
    }
}
