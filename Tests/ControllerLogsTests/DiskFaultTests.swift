import AnsFlowProtocol
import ControllerLogs
import Glibc
import Synchronization
import TestSupport
import Testing

/// A full disk and a failing one.
@Suite(.timeLimit(.minutes(2)))
struct DiskFaultTests {
    let attempt = AttemptID(31)

    /// A small file system of its own at a new directory; `nil` where this process may not mount one.
    static func mountSmall(bytes: Int) -> String? {
        guard let path = try? Harness.temporaryDirectory() else { return nil }
        guard mount("tmpfs", path, "tmpfs", 0, "size=\(bytes)") == 0 else {
            rmdir(path)
            return nil
        }
        return path
    }

    @Test(.enabled(if: getuid() == 0, "needs root, to mount a small tmpfs"))
    func aFullDiskLosesNothingAndHeals() async throws {
        guard let mounted = Self.mountSmall(bytes: 1024 * 1024) else {
            withKnownIssue("a container without CAP_SYS_ADMIN cannot mount a tmpfs") { Issue.record("not mounted") }
            return
        }
        defer {
            umount(mounted)
            rmdir(mounted)
        }
        let harness = try Harness(directory: mounted)
        let bytes = Sample(seed: 1, length: 700_000).bytes
        let ballast = mounted + "/ballast"
        let file = open(ballast, O_CREAT | O_WRONLY, 0o600)
        #expect(posix_fallocate(file, 0, 600 * 1024) == 0)
        var next = 0
        var full = 0
        while next < bytes.count {
            let end = min(next + 50_000, bytes.count)
            switch harness.store.append(frame(attempt, at: next, Array(bytes[next..<end]))) {
            case .accepted(let reached): next = Int(reached)
            case .storeFull(let number):
                #expect(number == ENOSPC)
                full += 1
                #expect(try await harness.bytes(attempt) == Array(bytes[..<next]))
                #expect(ftruncate(file, 0) == 0)
                guard full < 3 else { break }
            case let other:
                Issue.record("\(other)")
                return
            }
        }
        close(file)
        #expect(full == 1)
        #expect(try await harness.bytes(attempt) == bytes)
        // Packing needs more than what is left: it fails, leaves the segment, and works once there is room.
        let again = open(ballast, O_CREAT | O_WRONLY, 0o600)
        _ = posix_fallocate(again, 0, 250 * 1024)
        await #expect(throws: LogStoreError.self) { try await harness.store.compress(attempt) }
        #expect(!harness.exists(attempt, "zst") && !harness.exists(attempt, "zst.tmp"))
        #expect(try await harness.bytes(attempt) == bytes)
        close(again)
        unlink(ballast)
        #expect(harness.fatal.withLock { $0 } == [])
        await harness.store.close()
        try harness.start()
        #expect(try await harness.store.open(attempt) == UInt64(bytes.count))
        await harness.store.close()
    }

    @Test func aFailedSyncIsFatalAndNeverTriedAgain() async throws {
        let calls = Counter()
        var configuration = LogStoreConfiguration()
        configuration.sync = { _ in
            calls.add()
            return EIO
        }
        try await withHarness(configuration) { harness in
            #expect(harness.store.append(frame(attempt, at: 0, "a")) == .accepted(next: 1))
            await #expect(throws: LogStoreError.self) { try await harness.store.sync(attempt) }
            await #expect(throws: LogStoreError.self) { try await harness.store.sync(attempt) }
            // The owner is told on the thread that syncs, which may be after the waiters.
            try eventually(within: 10, "the owner is told") { harness.fatal.withLock { !$0.isEmpty } }
            #expect(harness.fatal.withLock { $0 } == [.io(operation: "sync", attempt: attempt, errno: EIO)])
            #expect(harness.durable.withLock { $0.isEmpty })
            #expect(harness.store.append(frame(attempt, at: 1, "b")) == .storeFull(errno: EIO))
            #expect(harness.store.append(frame(AttemptID(32), at: 0, "b")) == .storeFull(errno: EIO))
            #expect(calls.value == 1)
        }
    }

    @Test func nothingIsAcknowledgedBeforeItsSync() async throws {
        // The sync of a file looks at the file's length at that moment: no acknowledgement may name more.
        let lengths = Counter()
        var configuration = LogStoreConfiguration()
        configuration.sync = { descriptor in
            var facts = stat()
            fstat(descriptor, &facts)
            let result = fdatasync(descriptor) == 0 ? 0 : errno
            if facts.st_mode & S_IFMT == S_IFREG { lengths.raise(to: Int(facts.st_size)) }
            return result
        }
        try await withHarness(configuration) { harness in
            for index in 0..<500 {
                #expect(harness.store.append(frame(attempt, at: index, "x")) == .accepted(next: UInt64(index + 1)))
                let acknowledged = harness.durable.withLock { $0[attempt] ?? 0 }
                #expect(acknowledged == 0 || 24 + Int(acknowledged) * 25 <= lengths.value)
            }
            try await harness.store.sync(attempt)
            #expect(harness.durable.withLock { $0[attempt] } == 500)
        }
    }
}

/// A number that any thread may raise.
final class Counter: Sendable {
    private let number = Mutex(0)
    var value: Int { number.withLock { $0 } }
    func add() { number.withLock { $0 += 1 } }
    func raise(to least: Int) { number.withLock { $0 = max($0, least) } }
}
