import AnsFlowProtocol
import AnsFlowRecords
import ControllerLogs
import Synchronization
import Testing

import struct ControllerCore.LogHole
import struct ControllerCore.LogInfo

/// What LOG messages do to a log.
@Suite(.timeLimit(.minutes(2)))
struct IngestTests {
    let attempt = AttemptID(4711)

    @Test func messagesInOrderAreStored() async throws {
        try await withHarness { harness in
            #expect(try await harness.store.open(attempt) == 0)
            #expect(harness.store.append(frame(attempt, at: 0, "one\n")) == .accepted(next: 4))
            #expect(harness.store.append(frame(attempt, at: 4, "two\n")) == .accepted(next: 8))
            #expect(harness.store.next(attempt) == 8)
            #expect(try await harness.bytes(attempt) == Array("one\ntwo\n".utf8))
            try await harness.store.sync(attempt)
            #expect(harness.durable.withLock { $0[attempt] } == 8)
        }
    }

    @Test func duplicatesAndGapsAreAnsweredWithNext() async throws {
        try await withHarness { harness in
            let first = frame(attempt, at: 0, "abcdef")
            #expect(harness.store.append(first) == .accepted(next: 6))
            #expect(harness.store.append(first) == .ignored(next: 6))
            #expect(harness.store.append(frame(attempt, at: 7, "x")) == .ignored(next: 6))
            let stored = try await harness.bytes(attempt)
            #expect(stored == Array("abcdef".utf8))
        }
    }

    @Test func theKnownPartOfAMessageIsSkipped() async throws {
        try await withHarness { harness in
            #expect(harness.store.append(frame(attempt, at: 0, "abcdef")) == .accepted(next: 6))
            var records = LogRecord.encode(offset: 2, time: 1, bytes: Array("cd".utf8))
            records += LogRecord.encode(offset: 4, time: 2, bytes: Array("efgh".utf8))
            records += LogRecord.encode(offset: 8, time: 3, bytes: Array("ij".utf8))
            #expect(harness.store.append(LogFrame(attempt: attempt, records: records)) == .accepted(next: 10))
            #expect(try await harness.bytes(attempt) == Array("abcdefghij".utf8))
            try await harness.restart()
            #expect(try await harness.store.open(attempt) == 10)
        }
    }

    @Test func everyFlippedBitIsRefused() async throws {
        try await withHarness { harness in
            let good = frame(attempt, at: 0, "some output\n")
            for position in good.records.indices {
                var bad = good
                bad.records[position] ^= 1 << (position % 8)
                guard case .rejected = harness.store.append(bad) else {
                    Issue.record("byte \(position)")
                    continue
                }
            }
            for length in 0..<good.records.count {
                let cut = LogFrame(attempt: attempt, records: Array(good.records.prefix(length)))
                guard case .rejected = harness.store.append(cut) else {
                    Issue.record("cut at \(length)")
                    continue
                }
            }
            #expect(harness.store.append(good) == .accepted(next: 12))
        }
    }

    @Test func aMessageWithALeapInsideIsRefused() async throws {
        try await withHarness { harness in
            let records =
                LogRecord.encode(offset: 0, time: 0, bytes: [65]) + LogRecord.encode(offset: 2, time: 0, bytes: [66])
            guard case .rejected = harness.store.append(LogFrame(attempt: attempt, records: records)) else {
                Issue.record("accepted")
                return
            }
            let info = try await harness.store.info(attempt)
            #expect(info.bytes == 0)
        }
    }

    @Test func theLimitHolds() async throws {
        var configuration = LogStoreConfiguration()
        configuration.logBytesMax = 100
        configuration.holesMax = 2
        try await withHarness(configuration) { harness in
            #expect(harness.append(attempt, Array(repeating: 65, count: 90)) == .accepted(next: 90))
            guard case .rejected = harness.store.append(frame(attempt, at: 90, "eleven more")) else {
                Issue.record("accepted")
                return
            }
            guard case .rejected = harness.store.gap(attempt, offset: 90, length: .max, reason: "") else {
                Issue.record("accepted")
                return
            }
            #expect(harness.store.gap(attempt, offset: 90, length: 1, reason: "a") == .accepted(next: 91))
            #expect(harness.store.gap(attempt, offset: 91, length: 1, reason: "b") == .accepted(next: 92))
            guard case .rejected = harness.store.gap(attempt, offset: 92, length: 1, reason: "c") else {
                Issue.record("accepted")
                return
            }
            #expect(harness.append(attempt, Array(repeating: 65, count: 8), from: 92) == .accepted(next: 100))
        }
    }

    @Test func anEmptyLogEndsExplicitly() async throws {
        try await withHarness { harness in
            #expect(try await harness.store.open(attempt) == 0)
            let summary = LogFacts(total: 0, sha256: sha256([]), lines: 0, holes: [])
            #expect(try await harness.store.finish(attempt, expected: end(attempt, [])) == .complete(summary))
            #expect(try await harness.store.compress(attempt) == summary)
            try await harness.store.dropSegment(attempt)
            try await harness.restart()
            let info = try await harness.store.info(attempt)
            #expect(info.complete && info.bytes == 0 && info.lines == 0 && info.sha256 == sha256([]))
            #expect(try await harness.store.lines(attempt, from: 1, count: 10).lines.isEmpty)
            #expect(try await harness.bytes(attempt).isEmpty)
        }
    }

    @Test func finishWaitsAndCompares() async throws {
        try await withHarness { harness in
            let bytes = Array("first\nsecond".utf8)
            #expect(harness.append(attempt, Array(bytes.prefix(6))) == .accepted(next: 6))
            #expect(try await harness.store.finish(attempt, expected: end(attempt, bytes)) == .waiting(next: 6))
            #expect(harness.append(attempt, Array("Second".utf8), from: 6) == .accepted(next: 12))
            guard case .mismatch(let found) = try await harness.store.finish(attempt, expected: end(attempt, bytes))
            else {
                Issue.record("no mismatch")
                return
            }
            #expect(found.sha256 == sha256(Array("first\nSecond".utf8)))
            try await harness.store.reset(attempt)
            #expect(try await harness.store.open(attempt) == 0)
            #expect(harness.append(attempt, bytes) == .accepted(next: 12))
            let summary = LogFacts(total: 12, sha256: sha256(bytes), lines: 2, holes: [])
            #expect(try await harness.store.finish(attempt, expected: end(attempt, bytes)) == .complete(summary))
            #expect(harness.durable.withLock { $0[attempt] } == 12)
            // What comes late changes nothing.
            #expect(harness.store.append(frame(attempt, at: 12, "late")) == .ignored(next: 12))
        }
    }

    @Test func manyAttemptsSideBySideStayApart() async throws {
        var configuration = LogStoreConfiguration()
        configuration.openFilesMax = 8
        try await withHarness(configuration) { harness in
            let attempts = (1...40).map { AttemptID(Int64($0) * 333) }
            await withTaskGroup(of: Void.self) { group in
                for attempt in attempts {
                    group.addTask {
                        var offset = 0
                        for line in 0..<100 {
                            let text = "attempt \(attempt) line \(line)\n"
                            let outcome = harness.store.append(frame(attempt, at: offset, time: UInt64(line), text))
                            offset += text.utf8.count
                            #expect(outcome == .accepted(next: UInt64(offset)))
                        }
                    }
                }
            }
            for attempt in attempts {
                let expected = (0..<100).map { "attempt \(attempt) line \($0)\n" }.joined()
                let complete = try await harness.store.finish(attempt, expected: end(attempt, Array(expected.utf8)))
                guard case .complete = complete else {
                    Issue.record("\(attempt): \(complete)")
                    continue
                }
                #expect(try await harness.bytes(attempt) == Array(expected.utf8))
            }
            #expect(harness.durable.withLock { $0.count } == 40)
        }
    }
}
