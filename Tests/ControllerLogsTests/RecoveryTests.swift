import AnsFlowProtocol
import AnsFlowRecords
import ControllerLogs
import Testing

import struct ControllerCore.LogHole
import struct ControllerCore.LogInfo

/// What a restart makes of what is on the disk.
@Suite(.timeLimit(.minutes(2)))
struct RecoveryTests {
    let attempt = AttemptID(1_000_001)

    @Test func aTornTailIsCutAtEveryByte() async throws {
        try await withHarness { harness in
            #expect(harness.append(attempt, Array("kept line\n".utf8)) == .accepted(next: 10))
            let kept = try harness.read(attempt, "seg")
            #expect(harness.append(attempt, Array("torn line\n".utf8), from: 10) == .accepted(next: 20))
            let whole = try harness.read(attempt, "seg")
            for length in kept.count..<whole.count {
                await harness.store.close()
                try harness.write(Array(whole.prefix(length)), attempt, "seg")
                try harness.start()
                #expect(try await harness.store.open(attempt) == 10, "cut at \(length)")
                #expect(try await harness.bytes(attempt) == Array("kept line\n".utf8))
            }
            #expect(harness.append(attempt, Array("torn line\n".utf8), from: 10) == .accepted(next: 20))
            #expect(try harness.read(attempt, "seg") == whole)
        }
    }

    @Test func everyFlippedByteOfARecordCutsThere() async throws {
        try await withHarness { harness in
            #expect(harness.append(attempt, Array("kept line\n".utf8)) == .accepted(next: 10))
            let kept = try harness.read(attempt, "seg")
            #expect(harness.append(attempt, Array("bad".utf8), from: 10) == .accepted(next: 13))
            #expect(harness.append(attempt, Array("behind".utf8), from: 13) == .accepted(next: 19))
            let whole = try harness.read(attempt, "seg")
            for position in kept.count..<kept.count + LogRecord.headerSize + 3 {
                await harness.store.close()
                var bad = whole
                bad[position] ^= 0x10
                try harness.write(bad, attempt, "seg")
                try harness.start()
                #expect(try await harness.store.open(attempt) == 10, "byte \(position)")
                #expect(try harness.read(attempt, "seg") == kept)
            }
        }
    }

    @Test func aDamagedOrTornHeaderGivesAnEmptyLog() async throws {
        try await withHarness { harness in
            #expect(harness.append(attempt, Array("lost line\n".utf8)) == .accepted(next: 10))
            let whole = try harness.read(attempt, "seg")
            for length in 0..<LogFileHeader.size {
                await harness.store.close()
                try harness.write(Array(whole.prefix(length)), attempt, "seg")
                try harness.start()
                #expect(try await harness.store.open(attempt) == 0)
                #expect(harness.append(attempt, Array("lost line\n".utf8)) == .accepted(next: 10))
                #expect(try harness.read(attempt, "seg") == whole)
            }
        }
    }

    @Test func aTailOfZerosIsCut() async throws {
        try await withHarness { harness in
            #expect(harness.append(attempt, Array("line\n".utf8)) == .accepted(next: 5))
            let whole = try harness.read(attempt, "seg")
            await harness.store.close()
            try harness.write(whole + Array(repeating: 0, count: 5000), attempt, "seg")
            try harness.start()
            #expect(try await harness.store.open(attempt) == 5)
            #expect(try harness.read(attempt, "seg") == whole)
        }
    }

    @Test func anotherAttemptsFileIsRefused() async throws {
        try await withHarness { harness in
            #expect(harness.append(attempt, Array("mine\n".utf8)) == .accepted(next: 5))
            let other = AttemptID(1_000_002)
            try harness.write(harness.read(attempt, "seg"), other, "seg")
            await #expect(throws: LogStoreError.foreign(attempt: other, found: attempt.rawValue)) {
                try await harness.store.open(other)
            }
            guard case .rejected = harness.store.append(frame(other, at: 0, "x")) else {
                Issue.record("accepted")
                return
            }
            // The other log costs this one nothing.
            #expect(harness.append(attempt, Array("more\n".utf8), from: 5) == .accepted(next: 10))
            _ = try await harness.store.compress(attempt)
            let third = AttemptID(1_000_003)
            try harness.write(harness.read(attempt, "zst"), third, "zst")
            await #expect(throws: LogStoreError.foreign(attempt: third, found: attempt.rawValue)) {
                try await harness.store.info(third)
            }
        }
    }

    @Test func hashLinesAndHolesAreTheSameAfterARestart() async throws {
        let sample = Sample(seed: 7, length: 3_000_000)
        var configuration = LogStoreConfiguration()
        configuration.blockBytes = 50_000
        try await withHarness(configuration) { harness in
            #expect(harness.append(attempt, sample.bytes) == .accepted(next: UInt64(sample.bytes.count)))
            let at = UInt64(sample.bytes.count)
            #expect(
                harness.store.gap(attempt, offset: at, length: 99, reason: "disk was full") == .accepted(next: at + 99))
            #expect(harness.store.append(frame(attempt, at: Int(at) + 99, "rest")) == .accepted(next: at + 103))
            let before = try await harness.store.info(attempt)
            try await harness.restart()
            #expect(try await harness.store.open(attempt) == at + 103)
            #expect(try await harness.store.info(attempt) == before)
            #expect(before.lines == sample.lines.count + 2)
            let summary = try await harness.store.end(attempt)
            #expect(summary.sha256 == sha256(sample.bytes + Array("rest".utf8)))
            #expect(
                summary.holes == [LogHole(kind: .missing, offset: at, length: 99, reason: "disk was full")])
        }
    }
}
