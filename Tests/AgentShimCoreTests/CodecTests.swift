import AgentShimCore
import AnsFlowRecords
import Testing

private let spec = ShimSpec(
    attempt: 42, arguments: ["sh", "-c", "echo \u{1F600}"], environment: ["A=b", "EMPTY="], workingDirectory: "/w",
    startFile: "/s/42", spoolFile: "/p", recordFile: "/r", timeoutMs: 3_600_000, graceMs: 10_000,
    logLimitBytes: 1 << 30, secrets: [[1, 0, 255], Array("secret".utf8)])

private let record = ExitRecord(
    attempt: 42, ending: .startFailed(.workingDirectory, errno: 2), exitCode: 127, signal: nil, message: "No.",
    spooled: 5, dropped: nil,
    usage: ShimUsage(cpuUserMs: 1, cpuSystemMs: 2, memoryPeakBytes: 3, wallMs: 4), startedAtBoottimeMs: 99,
    unkillable: true)

private let commands: [ShimCommand] = [
    .attach(version: 1), .start(spec), .stop(.revoked, graceMs: 0), .mask([]), .mask([7, 8]), .forget,
]

private let reports: [ShimReport] = [
    .state(ShimState(containment: .cgroup, phase: .warm)),
    .state(
        ShimState(
            containment: .sweep, phase: .running(attempt: 1, pid: 2, startedAtBoottimeMs: 3, stopping: true),
            spooled: 4,
            dropped: 5)),
    .state(ShimState(version: 7, containment: .sweep, phase: .ended(record, treeEmpty: false))),
    .started(attempt: 1, startedAtBoottimeMs: 2), .startRefused(attempt: 1, .storage, message: "Full."),
    .spooled(bytes: 1, dropped: 2), .ended(record), .emptied(attempt: 3), .masked(true), .masked(false),
]

@Suite("Messages between agent and shim")
struct MessageTests {
    private func message(_ frame: [UInt8]) throws -> [UInt8] {
        var reader = ShimFrameReader()
        reader.feed(frame)
        let message = try #require(try reader.next())
        #expect(try reader.next() == nil)
        return message
    }

    @Test("come back as they were sent")
    func roundTrip() throws {
        for command in commands { #expect(try ShimCodec.command(message(ShimCodec.encode(command))) == command) }
        for report in reports { #expect(try ShimCodec.report(message(ShimCodec.encode(report))) == report) }
    }

    @Test("cut, lengthened or changed messages never trap")
    func damaged() throws {
        for (bytes, decode) in try commands.map({
            (try message(ShimCodec.encode($0)), { _ = try ShimCodec.command($0) })
        })
            + reports.map({
                (try message(ShimCodec.encode($0)), { (bytes: [UInt8]) in _ = try ShimCodec.report(bytes) })
            })
        {
            let isMask = bytes.first == 4
            for count in 0..<bytes.count where !isMask || count == 0 {
                #expect(throws: ShimCodecError.self) { try decode(Array(bytes[..<count])) }
            }
            if !isMask { #expect(throws: ShimCodecError.self) { try decode(bytes + [0]) } }
            for index in bytes.indices {
                for bit in 0..<8 {
                    var changed = bytes
                    changed[index] ^= 1 << UInt8(bit)
                    _ = try? decode(changed)
                }
            }
        }
    }

    @Test("a stream is cut into messages wherever it breaks")
    func stream() throws {
        let bytes = try commands.flatMap { try ShimCodec.encode($0) }
        for size in [1, 2, 3, 7, 64, bytes.count] {
            var reader = ShimFrameReader()
            var found: [ShimCommand] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                reader.feed(bytes[start..<min(start + size, bytes.count)])
                while let message = try reader.next() { found.append(try ShimCodec.command(message)) }
            }
            #expect(found == commands)
        }
    }

    @Test("lengths beyond the limit are refused on both sides")
    func limits() throws {
        for length: UInt32 in [0, UInt32(ShimLimits.messageBytesMax) + 1, .max] {
            var reader = ShimFrameReader()
            withUnsafeBytes(of: length.littleEndian) { reader.feed(Array($0)) }
            #expect(throws: ShimCodecError.self) { try reader.next() }
        }
        var large = spec
        large.environment = (0..<5).map { "V\($0)=" + String(repeating: "x", count: 120_000) }
        #expect(throws: ShimCodecError.self) { try ShimCodec.encode(.start(large)) }
        let secret = [UInt8](repeating: 1, count: ShimLimits.secretBytesMax + 1)
        #expect(throws: ShimCodecError.self) { try ShimCodec.command(Array(ShimCodec.encode(.mask(secret))[4...])) }
    }

    @Test("a specification that can't be run says why")
    func faults() {
        #expect(spec.fault == nil)
        let changes: [(inout ShimSpec) -> Void] = [
            { $0.attempt = 0 }, { $0.arguments = [] }, { $0.workingDirectory = "" }, { $0.startFile = "starts/1" },
            { $0.environment = ["NAME"] }, { $0.environment = ["=x"] }, { $0.arguments = ["a\0b"] },
            { $0.arguments = Array(repeating: "x", count: ShimLimits.argumentsMax + 1) },
        ]
        for change in changes {
            var changed = spec
            change(&changed)
            #expect(changed.fault?.hasSuffix(".") == true)
        }
    }
}

@Suite("Exit records")
struct ExitRecordTests {
    @Test("every ending comes back, in one block")
    func roundTrip() {
        let endings: [Ending] =
            [.exited(0), .exited(255), .signalled(9), .timedOut, .outOfMemory, .lost]
            + ShimStopReason.allCases.map { .stopped($0) } + StartStage.allCases.map { .startFailed($0, errno: 13) }
        for ending in endings {
            for dropped: UInt64? in [nil, 0, .max] {
                let one = ExitRecord(attempt: .max, ending: ending, exitCode: -1, signal: 15, dropped: dropped)
                let block = one.encoded()
                #expect(block.count == ExitRecord.size)
                #expect(ExitRecord(block) == one)
            }
        }
        #expect(ExitRecord(record.encoded()) == record)
    }

    @Test("the format stays readable: these bytes are version 1")
    func golden() {
        let block = ExitRecord(attempt: 1, ending: .exited(7), exitCode: 7, spooled: 2).encoded()
        let head: [UInt8] =
            Array("ANSFEXIT".utf8) + [1] + [83, 0, 0, 0] + [1, 0, 0, 0, 0, 0, 0, 0] + [1, 0, 7, 0, 0, 0] + [2 | 8]
            + [7, 0, 0, 0] + [0, 0, 0, 0] + [2, 0, 0, 0, 0, 0, 0, 0]
        #expect(Array(block[..<head.count]) == head)
    }

    @Test("a zero, cut or damaged block is no record")
    func damaged() {
        #expect(ExitRecord([UInt8](repeating: 0, count: ExitRecord.size)) == nil)
        #expect(ExitRecord([]) == nil)
        let block = record.encoded()
        let used = block.lastIndex { $0 != 0 } ?? 0
        for count in 0..<used { #expect(ExitRecord(Array(block[..<count])) == nil) }
        for index in 0...used {
            var changed = block
            changed[index] ^= 0x10
            #expect(ExitRecord(changed) == nil, "byte \(index)")
        }
    }

    @Test("a long message is cut between characters")
    func message() {
        let long = ExitRecord(attempt: 1, ending: .timedOut, message: String(repeating: "\u{1F600}", count: 1000))
        let kept = ExitRecord(long.encoded())?.message ?? ""
        #expect(kept.utf8.count == ShimLimits.messageTextBytesMax)
        #expect(kept.allSatisfy { $0 == "\u{1F600}" })
    }
}

@Suite("The journal")
struct JournalTests {
    private let entries: [JournalEntry] = [
        .accept(attempt: 1, jobAttempt: 2, bootID: "boot", shim: "s-1"), .claimedNeverStart(attempt: 1),
        .forgotten(attempt: .max),
    ]

    @Test("entries come back; a torn end is cut")
    func roundTrip() {
        let encoded = entries.map(JournalCodec.encode)
        let bytes = Array(encoded.joined())
        for count in 0...bytes.count {
            let (found, good) = JournalCodec.decode(Array(bytes[..<count]))
            var whole = 0
            var end = 0
            while whole < encoded.count, end + encoded[whole].count <= count {
                end += encoded[whole].count
                whole += 1
            }
            #expect(found == Array(entries[..<whole]))
            #expect(good == end)
        }
    }

    @Test("a damaged entry ends the journal")
    func damaged() {
        let encoded = entries.map(JournalCodec.encode)
        let bytes = Array(encoded.joined())
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1
            let (found, good) = JournalCodec.decode(changed)
            #expect(good <= index)
            #expect(found == Array(entries[..<found.count]))
        }
        #expect(JournalCodec.decode([UInt8](repeating: 0, count: 64)).goodBytes == 0)
    }
}

@Suite("The spool's limit")
struct SpoolLimiterTests {
    @Test("stored is a prefix, dropped is exact, and it never starts again")
    func limit() {
        var limiter = SpoolLimiter(limit: 10)
        #expect(limiter.offer(6) == 6)
        #expect(limiter.offer(0) == 0)
        #expect(limiter.offer(6) == 4)
        #expect(limiter.offer(3) == 0)
        #expect(limiter.stored == 10 && limiter.dropped == 5 && !limiter.isRecording)
    }

    @Test("a full log whose step writes no more dropped nothing")
    func exact() {
        var limiter = SpoolLimiter(limit: 10)
        #expect(limiter.offer(10) == 10)
        #expect(limiter.dropped == 0)
    }

    @Test("a refused write ends recording")
    func failure() {
        var limiter = SpoolLimiter(limit: 100)
        _ = limiter.offer(20)
        _ = limiter.offer(30)
        limiter.writeFailed(lost: 30)
        #expect(limiter.stored == 20 && limiter.dropped == 30)
        #expect(limiter.offer(5) == 0)
        #expect(limiter.dropped == 35)
    }

    @Test("all sizes, with the sum kept", arguments: 0..<20)
    func sum(_ limit: Int) {
        for first in 0..<12 {
            for second in 0..<12 {
                var limiter = SpoolLimiter(limit: UInt64(limit))
                _ = limiter.offer(first)
                _ = limiter.offer(second)
                #expect(limiter.stored + limiter.dropped == UInt64(first + second))
                #expect(limiter.stored == UInt64(min(limit, first + second)))
            }
        }
    }
}
