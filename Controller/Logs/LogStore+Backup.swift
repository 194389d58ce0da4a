package import AnsFlowProtocol
package import ControllerCore
import Crypto
import Glibc
import NIOPosix

extension LogStore: LogBackup {
    package func storedAttempts() async throws -> [AttemptID] {
        let directory = shared.directory
        return try await onPool {
            var attempts: Set<AttemptID> = []
            for form in [LogDirectory.Form.kept, .closed, .segment] {
                attempts.formUnion(directory.attempts(with: form))
            }
            return attempts.sorted()
        }
    }

    package func backupSource(_ attempt: AttemptID) async throws -> BackupSource? {
        if let source = try await closedSource(attempt) { return source }
        // Of one that grows: what is whole in the file now, made durable.
        let end = segmentEnd(attempt)
        if end != nil { try await sync(attempt) }
        let directory = shared.directory
        return try await onPool {
            guard let size = Self.size(directory.path(attempt, .segment)) else { return nil }
            return BackupSource(
                name: directory.name(attempt, .segment), path: directory.path(attempt, .segment),
                bytes: min(end ?? size, size), isFinal: false)
        }
    }

    /// The packed form counts where both are there.
    private func closedSource(_ attempt: AttemptID) async throws -> BackupSource? {
        let directory = shared.directory
        return try await onPool {
            for form in [LogDirectory.Form.closed, .kept] {
                let path = directory.path(attempt, form)
                guard let size = Self.size(path) else { continue }
                return BackupSource(name: directory.name(attempt, form), path: path, bytes: size, isFinal: true)
            }
            return nil
        }
    }

    private static func size(_ path: String) -> UInt64? {
        var status = stat()
        return lstat(path, &status) == 0 ? UInt64(status.st_size) : nil
    }

    /// Reads a log of a directory that no store has open, record by record. Blocks; changes nothing.
    ///
    /// - Returns: Length and hash of the stored bytes; `nil` where there is no log.
    /// - Throws: ``LogStoreError`` where a record does not match its checksum.
    package static func check(
        _ attempt: AttemptID, in directory: String
    ) throws(LogStoreError) -> (bytes: UInt64, sha256: String)? {
        let names: LogDirectory
        do {
            names = try LogDirectory(path: directory, sync: { _ in 0 })
        } catch {
            throw .io(operation: "read the directory of", attempt: attempt, errno: errno)
        }
        let configuration = LogStoreConfiguration()
        let closed = ClosedLogs(directory: names, capacity: 1, blockBytes: configuration.blockBytes)
        if let source = try closed.source(attempt) {
            var hash = SHA256()
            for index in source.marks.indices {
                switch try source.load(index).content {
                case .text(let bytes, _): hash.update(data: bytes)
                case .hole(let hole) where hole.kind == .missing: continue
                case .hole: throw .unreadable(attempt: attempt, "a block does not match its checksum")
                }
            }
            return (source.total, Array(hash.finalize()).hex)
        }
        guard let file = LogFile(path: names.path(attempt, .segment), flags: O_RDONLY) else { return nil }
        let segment = try OpenSegment.read(attempt, file: file, blockBytes: configuration.blockBytes)
        return (segment.summary.total, segment.summary.sha256)
    }
}
