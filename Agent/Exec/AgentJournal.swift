import AgentCore
package import AgentShimCore
import AnsFlowProtocol
import Glibc
package import NIOCore
package import NIOPosix

/// The agent's journal: what it accepted, claimed and forgot, one file, only ever appended to.
///
/// Confined to its event loop, but for the file itself, which at most one job of the thread pool writes at a time. Entries that
/// arrive while a job runs go together into the next, so that many accepts share one `fdatasync`.
package final class AgentJournal: @unchecked Sendable {
    package typealias Done = @Sendable (Result<Void, FileFailure>) -> Void

    private let path: String
    private let loop: any EventLoop
    private let pool: NIOThreadPool
    private let file: Int32
    private var pending: [UInt8] = []
    private var pendingSync = false
    private var waiting: [Done] = []
    private var isWriting = false
    /// What has gone wrong for good: the end of the file is not known any more.
    private var failure: FileFailure?

    /// What was in the file before this process.
    package struct Contents: Equatable, Sendable {
        package struct Accepted: Equatable, Sendable {
            package var attempt: Int64
            package var jobAttempt: Int64
            package var bootID: String
            package var shim: String
            package var isClaimed = false
        }
        package var attempts: [Accepted] = []
        /// Ascending.
        package var forgotten: [Int64] = []
        package var highest: Int64 = 0
    }

    /// Reads the journal, writes it anew without what is of no use any more, and opens it.
    ///
    /// - Parameter keep: How many forgotten ids stay.
    package static func open(
        _ path: String, keep: Int = Tombstones.capacity / 2, loop: any EventLoop, pool: NIOThreadPool
    ) throws(FileFailure) -> (AgentJournal, Contents) {
        let bytes = try Files.read(path, limit: 256 << 20) ?? []
        var contents = contents(of: JournalCodec.decode(bytes).entries)
        contents.forgotten = Array(contents.forgotten.suffix(keep))
        var compact: [UInt8] = []
        for attempt in contents.forgotten { compact += JournalCodec.encode(.forgotten(attempt: attempt)) }
        for entry in contents.attempts {
            if !entry.bootID.isEmpty {
                compact += JournalCodec.encode(
                    .accept(
                        attempt: entry.attempt, jobAttempt: entry.jobAttempt, bootID: entry.bootID, shim: entry.shim))
            }
            if entry.isClaimed { compact += JournalCodec.encode(.claimedNeverStart(attempt: entry.attempt)) }
        }
        if compact != bytes { try Files.replace(path, compact) }
        let file = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw FileFailure("Can't open", path, errno) }
        return (AgentJournal(path, file, loop, pool), contents)
    }

    private init(_ path: String, _ file: Int32, _ loop: any EventLoop, _ pool: NIOThreadPool) {
        self.path = path
        self.file = file
        self.loop = loop
        self.pool = pool
    }

    deinit { close(file) }

    /// Appends an entry.
    ///
    /// - Parameters:
    ///   - sync: Whether it must survive the host. An accept must; the others only repeat what the controller knows.
    ///   - done: Called on the event loop when it is as durable as asked.
    package func append(_ entry: JournalEntry, sync: Bool, done: @escaping Done = { _ in }) {
        loop.preconditionInEventLoop()
        pending += JournalCodec.encode(entry)
        pendingSync = pendingSync || sync
        waiting.append(done)
        write()
    }

    /// Calls `done` when all that was appended before is written.
    package func barrier(_ done: @escaping Done) {
        loop.preconditionInEventLoop()
        if !isWriting, pending.isEmpty { return done(.success(())) }
        waiting.append(done)
        write()
    }

    private func write() {
        guard !isWriting else { return }
        let (bytes, sync, callbacks) = (pending, pendingSync, waiting)
        (pending, pendingSync, waiting) = ([], false, [])
        if let failure {
            for callback in callbacks { callback(.failure(failure)) }
            return
        }
        isWriting = true
        let written = pool.runIfActive(eventLoop: loop) { [self] in commit(bytes, sync: sync) }
        written.whenComplete { [self] result in
            isWriting = false
            let outcome: Result<Void, FileFailure>
            switch result {
            case .success(.done): outcome = .success(())
            case .success(.refused(let error)): outcome = .failure(error)
            case .success(.broken(let error)):
                failure = error
                outcome = .failure(error)
            case .failure: outcome = .failure(FileFailure("Can't write", path, EIO))
            }
            for callback in callbacks { callback(outcome) }
            if !pending.isEmpty || !waiting.isEmpty { write() }
        }
    }

    private enum Commit {
        case done
        /// Nothing was written; it may go better later.
        case refused(FileFailure)
        /// Nobody knows what the file holds.
        case broken(FileFailure)
    }

    private func commit(_ bytes: [UInt8], sync: Bool) -> Commit {
        let begin = lseek(file, 0, SEEK_END)
        let failed = Files.writeAll(file, bytes)
        if failed != 0 {
            // A full disk is no reason to give up for good: what was written in part is cut off again.
            let error = FileFailure("Can't write", path, failed)
            return ftruncate(file, begin) == 0 ? .refused(error) : .broken(error)
        }
        // After a failed sync nobody knows what the disk holds.
        if sync, fdatasync(file) != 0 { return .broken(FileFailure("Can't sync", path, errno)) }
        return .done
    }

    private static func contents(of entries: [JournalEntry]) -> Contents {
        var known: [Int64: Contents.Accepted] = [:]
        var forgotten: Set<Int64> = []
        var highest: Int64 = 0
        for entry in entries {
            switch entry {
            case .accept(let attempt, let jobAttempt, let bootID, let shim):
                highest = max(highest, attempt)
                known[attempt] = Contents.Accepted(
                    attempt: attempt, jobAttempt: jobAttempt, bootID: bootID, shim: shim)
            case .claimedNeverStart(let attempt):
                highest = max(highest, attempt)
                known[
                    attempt, default: Contents.Accepted(attempt: attempt, jobAttempt: 0, bootID: "", shim: "")
                ].isClaimed = true
            case .forgotten(let attempt):
                highest = max(highest, attempt)
                known[attempt] = nil
                forgotten.insert(attempt)
            }
        }
        return Contents(
            attempts: known.values.sorted { $0.attempt < $1.attempt }, forgotten: forgotten.sorted(), highest: highest)
    }
}
