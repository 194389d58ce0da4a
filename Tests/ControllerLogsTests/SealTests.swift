import AnsFlowProtocol
import Glibc
import Testing

import struct ControllerCore.LogHole
import struct ControllerCore.LogInfo

@testable import ControllerLogs

/// Closing a log, with a crash between any two of its steps.
@Suite(.timeLimit(.minutes(2)))
struct SealTests {
    let attempt = AttemptID(5)
    let bytes = Array((1...5000).map { "line number \($0) of a log\n" }.joined().utf8)

    func check(_ harness: Harness) async throws {
        #expect(try await harness.bytes(attempt) == bytes)
        let page = try await harness.store.lines(attempt, from: 4000, count: 1)
        #expect(page.lines.map(text) == ["line number 4000 of a log"])
        #expect(try await harness.store.info(attempt).lines == 5000)
    }

    @Test func aClosedLogHoldsTheSameInLess() async throws {
        try await withHarness { harness in
            _ = harness.append(attempt, bytes)
            let summary = try await harness.store.compress(attempt)
            #expect(summary == LogFacts(total: UInt64(bytes.count), sha256: sha256(bytes), lines: 5000, holes: []))
            try await check(harness)
            try await harness.store.dropSegment(attempt)
            try await check(harness)
            try await harness.restart()
            try await check(harness)
            #expect(try await harness.store.info(attempt).sha256 == sha256(bytes))
            #expect(try harness.read(attempt, "zst").count < bytes.count / 4)
            #expect(try await harness.store.open(attempt) == UInt64(bytes.count))
            #expect(harness.store.append(frame(attempt, at: 0, "again")) == .ignored(next: UInt64(bytes.count)))
            #expect(
                try await harness.store.finish(attempt, expected: end(attempt, bytes)) == .complete(summary))
        }
    }

    @Test func aCrashWhilePackingLeavesTheSegment() async throws {
        try await withHarness { harness in
            _ = harness.append(attempt, bytes)
            _ = try await harness.store.compress(attempt)
            let packed = try harness.read(attempt, "zst")
            for length in [0, 10, 30, packed.count / 2, packed.count - 1, packed.count] {
                await harness.store.close()
                unlink(harness.path(attempt, "zst"))
                try harness.write(Array(packed.prefix(length)), attempt, "zst.tmp")
                try harness.start()
                #expect(try await harness.store.open(attempt) == UInt64(bytes.count))
                try await check(harness)
            }
            #expect(try await harness.store.attemptsWithSegment() == [attempt])
            #expect(!harness.exists(attempt, "zst.tmp"))
            _ = try await harness.store.compress(attempt)
            #expect(try harness.read(attempt, "zst") == packed)
        }
    }

    @Test func aCrashBeforeTheCommitLeavesBoth() async throws {
        try await withHarness { harness in
            _ = harness.append(attempt, bytes)
            _ = try await harness.store.compress(attempt)
            try await harness.restart()
            #expect(try await harness.store.open(attempt) == UInt64(bytes.count))
            try await check(harness)
            #expect(try await harness.store.attemptsWithSegment() == [attempt])
            #expect(try await harness.store.compress(attempt).sha256 == sha256(bytes))
            try await harness.store.dropSegment(attempt)
            #expect(try await harness.store.attemptsWithSegment() == [])
            try await check(harness)
        }
    }

    @Test func droppingWithoutAClosedFormKeepsTheSegment() async throws {
        try await withHarness { harness in
            _ = harness.append(attempt, bytes)
            try await harness.store.dropSegment(attempt)
            try await check(harness)
            // A closed form that is not whole is no reason to drop either.
            _ = try await harness.store.compress(attempt)
            let packed = try harness.read(attempt, "zst")
            try await harness.restart()
            try harness.write(Array(packed.dropLast(3)), attempt, "zst")
            await #expect(throws: LogStoreError.self) { try await harness.store.dropSegment(attempt) }
            try await check(harness)
            _ = try await harness.store.compress(attempt)
            try await harness.store.dropSegment(attempt)
            try await check(harness)
        }
    }

    @Test func everyDamagedByteOfTheIndexIsNoticed() async throws {
        try await withHarness { harness in
            _ = harness.append(attempt, Array("short\n".utf8))
            _ = try await harness.store.compress(attempt)
            try await harness.store.dropSegment(attempt)
            let packed = try harness.read(attempt, "zst")
            for position in packed.indices {
                await harness.store.close()
                var bad = packed
                bad[position] ^= 0x04
                try harness.write(bad, attempt, "zst")
                try harness.start()
                // Either it can't be read, or the block is a hole; never other bytes.
                let got = try? await harness.bytes(attempt)
                #expect(got == nil || got == [], "byte \(position)")
            }
        }
    }

    @Test func aDamagedSegmentIsPackedWithAMarkedHole() async throws {
        try await withHarness(smallBlocks) { harness in
            _ = harness.append(attempt, bytes, size: 500)
            _ = try await harness.store.info(attempt)
            let whole = try harness.read(attempt, "seg")
            let file = LogFile(path: harness.path(attempt, "seg"), flags: O_WRONLY)
            #expect(file?.write([whole[5000] ^ 1], at: 5000) == 0)
            let summary = try await harness.store.compress(attempt)
            #expect(summary.holes.map(\.kind) == [.damaged])
            #expect(summary.sha256 == sha256(bytes))
            try await harness.store.dropSegment(attempt)
            let page = try await harness.store.lines(attempt, from: 5000, count: 1)
            #expect(page.lines.map(text) == ["line number 5000 of a log"])
        }
    }

    @Test func resetAndRemoveLeaveNothing() async throws {
        try await withHarness { harness in
            _ = harness.append(attempt, bytes)
            _ = try await harness.store.compress(attempt)
            try await harness.store.reset(attempt)
            #expect(!harness.exists(attempt, "zst") && !harness.exists(attempt, "seg"))
            #expect(harness.append(attempt, bytes) == .accepted(next: UInt64(bytes.count)))
            try await check(harness)
            _ = try await harness.store.compress(attempt)
            try await harness.store.remove(attempt)
            #expect(!harness.exists(attempt, "zst") && !harness.exists(attempt, "seg"))
            #expect(try await harness.store.info(attempt).bytes == 0)
            try await harness.store.remove(AttemptID(999_999))
        }
    }
}
