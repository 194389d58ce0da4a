import AnsFlowProtocol
import Glibc
import Synchronization
import Testing

import struct ControllerCore.LogHole
import struct ControllerCore.LogInfo

@testable import ControllerLogs

/// Small logs are closed as they are, without a packed copy.
@Suite(.timeLimit(.minutes(2)))
struct KeptTests {
    let attempt = AttemptID(6)
    let small = Array("$ true\nsecond\nno end".utf8)
    let large = Array((1...5000).map { "line number \($0) of a log\n" }.joined().utf8)

    func check(_ harness: Harness, _ bytes: [UInt8], lines: Int) async throws {
        #expect(try await harness.bytes(attempt) == bytes)
        let expected = LogInfo(
            bytes: UInt64(bytes.count), lines: UInt64(lines), complete: true, sha256: sha256(bytes), holes: [])
        #expect(try await harness.store.info(attempt) == expected)
        let page = try await harness.store.lines(attempt, from: 2, count: 1)
        #expect(page.lines.map(text) == ["second"])
        #expect(page.complete)
    }

    @Test func aSmallLogCostsTwoSyncsAndIsReadTheSame() async throws {
        let files = Counter()
        let directories = Counter()
        var configuration = LogStoreConfiguration()
        configuration.sync = {
            files.add()
            return fdatasync($0) == 0 ? 0 : errno
        }
        configuration.syncDirectory = {
            directories.add()
            return fsync($0) == 0 ? 0 : errno
        }
        try await withHarness(configuration) { harness in
            // The first log makes the bucket too.
            _ = harness.append(AttemptID(5), small)
            _ = try await harness.store.finish(AttemptID(5), expected: end(AttemptID(5), small))
            let (filesBefore, directoriesBefore) = (files.value, directories.value)
            _ = harness.append(attempt, small)
            let finish = try await harness.store.finish(attempt, expected: end(attempt, small))
            let summary = LogFacts(total: UInt64(small.count), sha256: sha256(small), lines: 3, holes: [])
            #expect(finish == .complete(summary))
            try await harness.store.seal(attempt)
            #expect(files.value == filesBefore + 1)
            #expect(directories.value == directoriesBefore + 1)
            #expect(harness.exists(attempt, "log"))
            #expect(!harness.exists(attempt, "seg") && !harness.exists(attempt, "zst"))
            try await check(harness, small, lines: 3)
            try await harness.restart()
            try await check(harness, small, lines: 3)
            // What comes late finds it closed, and nothing is left to do after a start.
            #expect(try await harness.store.open(attempt) == UInt64(small.count))
            #expect(harness.store.append(frame(attempt, at: 0, "again")) == .ignored(next: UInt64(small.count)))
            #expect(try await harness.store.finish(attempt, expected: end(attempt, small)) == .complete(summary))
            #expect(try await harness.store.attemptsWithSegment() == [AttemptID(5)])
            try await harness.store.seal(attempt)
            try await check(harness, small, lines: 3)
        }
    }

    @Test func aLargeLogIsPackedAsBefore() async throws {
        try await withHarness { harness in
            _ = harness.append(attempt, large)
            try await harness.store.seal(attempt)
            #expect(harness.exists(attempt, "zst"))
            #expect(!harness.exists(attempt, "seg") && !harness.exists(attempt, "log"))
            #expect(try await harness.bytes(attempt) == large)
        }
    }

    @Test func aCrashAnywhereLeavesItWhole() async throws {
        try await withHarness { harness in
            _ = harness.append(attempt, small)
            try await harness.store.seal(attempt)
            let kept = try harness.read(attempt, "log")
            #expect(kept.count == harness.bytesOfSegment(small) + KeptLog.endSize)
            for length in [kept.count - KeptLog.endSize, kept.count - 1, kept.count] {
                // The name was not durable yet, and the end not or in part.
                await harness.store.close()
                unlink(harness.path(attempt, "log"))
                try harness.write(Array(kept.prefix(length)), attempt, "seg")
                try harness.start()
                #expect(try await harness.store.open(attempt) == UInt64(small.count))
                #expect(try await harness.store.attemptsWithSegment() == [attempt])
                try await harness.store.seal(attempt)
                #expect(try harness.read(attempt, "log") == kept)
                try await check(harness, small, lines: 3)
                // The name was durable, the end was not.
                await harness.store.close()
                try harness.write(Array(kept.prefix(kept.count - KeptLog.endSize)), attempt, "log")
                try harness.start()
                try await check(harness, small, lines: 3)
            }
        }
    }

    @Test func damageIsAHoleThatSaysHowMuch() async throws {
        try await withHarness { harness in
            for (index, line) in ["$ true\n", "second\n", "third\n"].enumerated() {
                _ = harness.store.append(frame(attempt, at: index * 7, line))
            }
            let whole = try await harness.bytes(attempt)
            try await harness.store.seal(attempt)
            let kept = try harness.read(attempt, "log")
            for position in kept.indices {
                await harness.store.close()
                var bad = kept
                bad[position] ^= 0x04
                try harness.write(bad, attempt, "log")
                try harness.start()
                guard let info = try? await harness.store.info(attempt) else { continue }
                let got = try await harness.bytes(attempt)
                #expect(whole.starts(with: got), "byte \(position)")
                if position < kept.count - KeptLog.endSize {
                    #expect(info.bytes == UInt64(whole.count), "byte \(position)")
                    #expect(info.holes.map(\.kind) == [.damaged], "byte \(position)")
                    #expect(info.sha256 == sha256(whole), "byte \(position)")
                } else {
                    #expect(got == whole && !info.holes.isEmpty, "byte \(position)")
                }
            }
        }
    }

    @Test func aKeptLogCanBePackedLater() async throws {
        let directory = try Harness.temporaryDirectory()
        let first = try Harness(directory: directory)
        _ = first.append(attempt, small)
        try await first.store.seal(attempt)
        await first.store.close()
        var configuration = LogStoreConfiguration()
        configuration.keptBytesMax = 0
        let second = try Harness(directory: directory, configuration: configuration)
        #expect(try await second.store.compress(attempt).sha256 == sha256(small))
        // Both forms are there, as after a crash.
        try await second.restart()
        try await check(second, small, lines: 3)
        try await second.store.dropSegment(attempt)
        #expect(second.exists(attempt, "zst") && !second.exists(attempt, "log"))
        try await check(second, small, lines: 3)
        try await second.store.remove(attempt)
        #expect(!second.exists(attempt, "zst"))
        await second.close()
    }

    @Test func removingTakesAKeptLogToo() async throws {
        try await withHarness { harness in
            _ = harness.append(attempt, small)
            try await harness.store.seal(attempt)
            try await harness.store.remove(attempt)
            #expect(!harness.exists(attempt, "log"))
            #expect(try await harness.store.info(attempt).bytes == 0)
        }
    }

    @Test func aFailedPackingIsTriedAgainAndNotForEver() async throws {
        var configuration = LogStoreConfiguration()
        configuration.sealRetries = [.milliseconds(20), .milliseconds(20)]
        try await withHarness(configuration) { harness in
            _ = harness.append(attempt, large)
            _ = try await harness.store.end(attempt)
            // A directory in the place of the file that is to be written.
            #expect(mkdir(harness.path(attempt, "zst.tmp"), 0o700) == 0)
            await #expect(throws: LogStoreError.self) { try await harness.store.seal(attempt) }
            #expect(try await harness.bytes(attempt) == large)
        }
        configuration.sealRetries = Array(repeating: .milliseconds(5), count: 2000)
        try await withHarness(configuration) { harness in
            _ = harness.append(attempt, large)
            _ = try await harness.store.end(attempt)
            #expect(mkdir(harness.path(attempt, "zst.tmp"), 0o700) == 0)
            async let sealed: Void = harness.store.seal(attempt)
            try await Task.sleep(for: .milliseconds(50))
            #expect(!harness.exists(attempt, "zst") && harness.exists(attempt, "seg"))
            rmdir(harness.path(attempt, "zst.tmp"))
            try await sealed
            #expect(harness.exists(attempt, "zst") && !harness.exists(attempt, "seg"))
            #expect(try await harness.bytes(attempt) == large)
        }
    }

    @Test func newLogsShareTheSyncOfTheirDirectory() async throws {
        let directories = Counter()
        let gate = Gate()
        var configuration = LogStoreConfiguration()
        configuration.syncsAtOnce = 1
        configuration.sync = {
            gate.wait()
            return fdatasync($0) == 0 ? 0 : errno
        }
        configuration.syncDirectory = {
            directories.add()
            return fsync($0) == 0 ? 0 : errno
        }
        try await withHarness(configuration) { harness in
            let before = directories.value
            for id in 0..<33 { _ = harness.append(AttemptID(Int64(id)), small) }
            gate.open()
            for id in 0..<33 { try await harness.store.sync(AttemptID(Int64(id))) }
            // One with the directory above it, then two rounds of 16.
            #expect(directories.value <= before + 4)
            #expect(harness.durable.withLock { $0.count } == 33)
        }
    }
}

extension Harness {
    /// Length of a segment with all of the output in one record.
    func bytesOfSegment(_ bytes: [UInt8]) -> Int { 24 + 24 + bytes.count }
}

/// Holds threads back until it is opened.
private final class Gate: Sendable {
    private let file: Int32
    private let opener: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        pipe(&ends)
        (file, opener) = (ends[0], ends[1])
    }

    func open() { close(opener) }

    func wait() {
        var interest = pollfd(fd: file, events: Int16(POLLIN), revents: 0)
        poll(&interest, 1, 20_000)
    }

    deinit { close(file) }
}
