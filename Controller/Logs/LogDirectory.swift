import AnsFlowProtocol
import Glibc
import Synchronization

/// Names of the log files, and which directories are durable. The only place that knows a path.
///
/// A bucket holds the files of 1,000 attempts: `<directory>/<attempt / 1000>/<attempt>.seg`, `.log` and `.zst`.
final class LogDirectory: Sendable {
    private let path: String
    private let durableBuckets = Mutex<Set<Int64>>([])
    private let sync: @Sendable (Int32) -> Int32

    init(path: String, sync: @escaping @Sendable (Int32) -> Int32) throws {
        self.path = path
        self.sync = sync
        guard Self.make(path) else {
            throw LogStoreError.io(operation: "make the directory of", attempt: nil, errno: errno)
        }
        let failed = self.sync(directory: path + "/..")
        guard failed == 0 else {
            throw LogStoreError.io(operation: "sync the directory of", attempt: nil, errno: failed)
        }
    }

    /// `kept`: a segment that was closed as it is.
    enum Form: String { case segment = "seg", kept = "log", closed = "zst", unfinished = "zst.tmp" }

    func path(_ attempt: AttemptID, _ form: Form) -> String { "\(path)/\(name(attempt, form))" }

    /// Below the store's directory.
    func name(_ attempt: AttemptID, _ form: Form) -> String {
        "\(Self.bucket(attempt))/\(attempt.rawValue).\(form.rawValue)"
    }

    /// Attempts of the same place share their directory.
    func place(of attempt: AttemptID) -> Int64 { Self.bucket(attempt) }

    func exists(_ attempt: AttemptID, _ form: Form) -> Bool { access(path(attempt, form), F_OK) == 0 }

    /// Makes the attempt's bucket where it is missing; 0 or an error number.
    func prepare(_ attempt: AttemptID) -> Int32 {
        Self.make("\(path)/\(Self.bucket(attempt))") ? 0 : errno
    }

    /// Makes new, renamed and removed names in the attempt's bucket durable; 0 or an error number.
    func syncNames(_ attempt: AttemptID) -> Int32 {
        let bucket = Self.bucket(attempt)
        let failed = sync(directory: "\(path)/\(bucket)")
        guard failed == 0 else { return failed }
        if durableBuckets.withLock({ $0.contains(bucket) }) { return 0 }
        let failedAbove = sync(directory: path)
        if failedAbove == 0 { durableBuckets.withLock { _ = $0.insert(bucket) } }
        return failedAbove
    }

    /// Gives a segment the name of a kept log; 0 or an error number.
    func keep(_ attempt: AttemptID) -> Int32 {
        rename(path(attempt, .segment), path(attempt, .kept)) == 0 ? 0 : errno
    }

    /// Removes a file; 0 also where there was none.
    func remove(_ attempt: AttemptID, _ form: Form) -> Int32 {
        unlink(path(attempt, form)) == 0 || errno == ENOENT ? 0 : errno
    }

    /// All attempts that have a file of this form.
    func attempts(with form: Form) -> [AttemptID] {
        Self.names(in: path).flatMap { bucket -> [AttemptID] in
            guard Int64(bucket) != nil else { return [] }
            return Self.names(in: "\(path)/\(bucket)").compactMap { name in
                guard name.hasSuffix("." + form.rawValue) else { return nil }
                return Int64(name.dropLast(form.rawValue.utf8.count + 1)).map { AttemptID($0) }
            }
        }.sorted()
    }

    private func sync(directory: String) -> Int32 {
        guard let file = LogFile(path: directory, flags: O_RDONLY | O_DIRECTORY) else { return errno }
        return sync(file.descriptor)
    }

    private static func bucket(_ attempt: AttemptID) -> Int64 { attempt.rawValue / 1000 }

    private static func make(_ path: String) -> Bool { mkdir(path, 0o700) == 0 || errno == EEXIST }

    private static func names(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let capacity = MemoryLayout.size(ofValue: entry.pointee.d_name)
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: UInt8.self, capacity: capacity) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
