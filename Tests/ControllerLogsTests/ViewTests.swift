import AnsFlowProtocol
import AnsFlowRecords
import NIOCore
import Testing

import struct ControllerCore.LogHole
import struct ControllerCore.LogInfo

@testable import ControllerLogs

/// Lines and bytes of live and closed logs, against a naive oracle.
@Suite(.timeLimit(.minutes(3)))
struct ViewTests {
    let attempt = AttemptID(12)

    enum Form: String, CaseIterable { case live, recovered, closed }

    /// Brings the log into a form in which it is then read.
    func bring(_ harness: Harness, to form: Form) async throws {
        switch form {
        case .live: break
        case .recovered:
            try await harness.restart()
            _ = try await harness.store.open(attempt)
        case .closed:
            _ = try await harness.store.compress(attempt)
            try await harness.store.dropSegment(attempt)
            #expect(!harness.exists(attempt, "seg"))
        }
    }

    @Test(arguments: Form.allCases, [1, 2, 3] as [UInt64])
    func everyLineIsFoundByItsNumber(form: Form, seed: UInt64) async throws {
        let sample = Sample(seed: seed, length: 60_000)
        let lines = sample.lines
        try await withHarness(smallBlocks) { harness in
            for piece in sample.pieces {
                _ = harness.store.append(frame(attempt, at: piece.offset, time: piece.time, piece.bytes))
            }
            try await bring(harness, to: form)
            #expect(try await harness.store.info(attempt).lines == lines.count)
            for first in stride(from: 1, through: lines.count + 1, by: 37) {
                let page = try await harness.store.lines(attempt, from: first, count: 50)
                let expected = lines[min(first - 1, lines.count)..<min(first + 49, lines.count)]
                #expect(page.lines.map(\.number) == Array(first..<first + expected.count))
                #expect(page.lines.map { Sample.Line(bytes: Array($0.text), time: $0.timeMs) } == Array(expected))
            }
            let tail = try await harness.store.tail(attempt, 5)
            #expect(tail.lines.map { Array($0.text) } == lines.suffix(5).map(\.bytes))
            // Paging by bytes gives each line once.
            var next = 1
            var all: [[UInt8]] = []
            while next <= lines.count {
                let page = try await harness.store.lines(attempt, from: next, count: 10_000, maxBytes: 5000)
                all += page.lines.map { Array($0.text) }
                if page.lines.last?.isPartial == true { break }
                next = page.nextLine
            }
            #expect(all == lines.map(\.bytes))
        }
    }

    @Test(arguments: Form.allCases)
    func rangesCrossBlockBorders(form: Form) async throws {
        let sample = Sample(seed: 99, length: 20_000)
        try await withHarness(smallBlocks) { harness in
            for piece in sample.pieces {
                _ = harness.store.append(frame(attempt, at: piece.offset, time: piece.time, piece.bytes))
            }
            try await bring(harness, to: form)
            #expect(try await harness.bytes(attempt) == sample.bytes)
            var random = Seeded(state: 5)
            for _ in 0..<200 {
                let start = Int.random(in: 0...sample.bytes.count, using: &random)
                let end = Int.random(in: start...sample.bytes.count, using: &random)
                let got = try await harness.bytes(attempt, UInt64(start)..<UInt64(end))
                #expect(got == Array(sample.bytes[start..<end]))
            }
            #expect(try await harness.bytes(attempt, 19_000..<UInt64.max) == Array(sample.bytes[19_000...]))
        }
    }

    @Test(arguments: Form.allCases)
    func longLinesAreCutAndWhatFollowsIsFound(form: Form) async throws {
        let long = Array(repeating: UInt8(ascii: "x"), count: 300_000)
        let exact = Array(repeating: UInt8(ascii: "y"), count: LogViewLimits.lineBytesMax)
        let bytes = Array("a\n".utf8) + long + [10] + exact + [10] + Array("b\n".utf8) + long
        try await withHarness(smallBlocks) { harness in
            #expect(harness.append(attempt, bytes, size: 10_000) == .accepted(next: UInt64(bytes.count)))
            try await bring(harness, to: form)
            let page = try await harness.store.lines(attempt, from: 1, count: 10)
            #expect(page.lines.map(\.number) == [1, 2, 3, 4, 5])
            #expect(page.lines.map(\.isCut) == [false, true, false, false, true])
            #expect(page.lines.map(\.text.count) == [1, 16384, 16384, 1, 16384])
            #expect(page.lines.map(\.isPartial) == [false, false, false, false, form != .closed])
            #expect(page.nextLine == (form == .closed ? 6 : 5))
            // Each of them is found whole, by its bytes.
            var found: [[UInt8]] = []
            for line in 1...5 {
                let range = try #require(try await harness.store.place(attempt, line: line))
                found.append(try await harness.bytes(attempt, range))
            }
            #expect(found == [Array("a\n".utf8), long + [10], exact + [10], Array("b\n".utf8), long])
            let none = try await harness.store.place(attempt, line: 6)
            #expect(none == nil)
        }
    }

    @Test(arguments: Form.allCases)
    func holesAreMarkedAndNeverHidden(form: Form) async throws {
        try await withHarness(smallBlocks) { harness in
            _ = harness.store.append(frame(attempt, at: 0, "one\ntw"))
            #expect(
                harness.store.gap(attempt, offset: 6, length: 1000, reason: "spool cut\nshort") == .accepted(next: 1006)
            )
            _ = harness.store.append(frame(attempt, at: 1006, "after\n"))
            #expect(harness.store.gap(attempt, offset: 1012, length: 3, reason: "r") == .accepted(next: 1015))
            try await bring(harness, to: form)
            let page = try await harness.store.lines(attempt, from: 1, count: 10)
            #expect(
                page.lines.map(text) == [
                    "one", "tw", "[1000 bytes missing: spool cut short]", "after", "[3 bytes missing: r]",
                ])
            #expect(page.lines.map(\.kind) == [.text, .text, .missing, .text, .missing])
            #expect(!page.lines.contains { $0.isPartial })
            for first in 1...5 {
                let one = try await harness.store.lines(attempt, from: first, count: 1)
                #expect(one.lines == [page.lines[first - 1]])
            }
            var chunks: [LogChunk] = []
            for try await chunk in try await harness.store.bytes(attempt, 4..<1014) { chunks.append(chunk) }
            #expect(
                chunks == [
                    .bytes(Array("tw".utf8)),
                    .hole(LogHole(kind: .missing, offset: 6, length: 1000, reason: "spool cut short")),
                    .bytes(Array("after\n".utf8)),
                    .hole(LogHole(kind: .missing, offset: 1012, length: 2, reason: "r")),
                ])
            #expect(try await harness.store.info(attempt).holes.count == 2)
        }
    }

    @Test(arguments: [Form.live, .closed])
    func aDamagedBlockIsAHoleAndNeverWrongBytes(form: Form) async throws {
        let bytes = Array((1...2000).map { "line number \($0)\n" }.joined().utf8)
        try await withHarness(smallBlocks) { harness in
            #expect(harness.append(attempt, bytes, size: 500) == .accepted(next: UInt64(bytes.count)))
            try await bring(harness, to: form)
            let name = form == .closed ? "zst" : "seg"
            var file = try harness.read(attempt, name)
            // A place in the middle of the file: no header, no index.
            file[file.count / 3] ^= 0x40
            let descriptor = LogFile(path: harness.path(attempt, name), flags: 1)
            #expect(descriptor?.write(file, at: 0) == 0)
            var next = 1
            var seen: [Int: String] = [:]
            var damaged = 0
            while next <= 2000 {
                let page = try await harness.store.lines(attempt, from: next, count: 100)
                for line in page.lines {
                    if line.kind == .damaged { damaged += 1 } else if !line.isCut { seen[line.number] = text(line) }
                }
                next = page.nextLine
            }
            #expect(damaged == 1)
            #expect(seen.count > 1800)
            #expect(seen.allSatisfy { $0.value == "line number \($0.key)" })
            var holes = 0
            for try await chunk in try await harness.store.bytes(attempt) {
                if case .hole(let hole) = chunk {
                    #expect(hole.kind == .damaged)
                    holes += 1
                }
            }
            #expect(holes == 1)
        }
    }

    @Test func blocksOf512LinesBecomeFinal() async throws {
        try await withHarness { harness in
            var offset = 0
            for line in 1...512 {
                let last = try await harness.store.block(attempt, 0)
                #expect(!last.isFinal)
                let text = "line \(line)"
                _ = harness.store.append(frame(attempt, at: offset, text))
                offset += text.utf8.count
                if line == 512 { #expect(try await harness.store.block(attempt, 0).isFinal == false) }
                _ = harness.store.append(frame(attempt, at: offset, "\n"))
                offset += 1
            }
            let full = try await harness.store.block(attempt, 0)
            #expect(full.isFinal)
            #expect(full.page.lines.count == 512)
            _ = harness.store.append(frame(attempt, at: offset, "more\n"))
            #expect(try await harness.store.block(attempt, 1).page.lines.map(text) == ["more"])
            #expect(try await harness.store.block(attempt, 0).page.lines == full.page.lines)
            #expect(try await harness.store.block(attempt, .max).page.lines.isEmpty)
            #expect(try await harness.store.block(attempt, -1).page.lines.isEmpty)
        }
    }

    @Test func jsonIsEscapedAndRepaired() {
        let bytes: [UInt8] = Array("a\"\\\t\u{1}é".utf8) + [0xFF, 0xC3]
        let lines = [
            LogLine(number: 1, timeMs: 5, text: bytes[...]),
            LogLine(number: 2, timeMs: 6, text: [], kind: .missing, isPartial: true, isCut: true),
        ]
        let json = String(buffer: LogJSON.array(lines))
        #expect(
            json == #"[{"n":1,"t_ms":5,"text":"a\"\\\t\u0001é"# + "\u{FFFD}\u{FFFD}"
                + #""},{"n":2,"t_ms":6,"text":"","partial":true,"cut":true,"hole":"missing"}]"#)
    }

    @Test func repairDoesNotDependOnWhereBytesAreCut() {
        var random = Seeded(state: 3)
        let parts: [[UInt8]] = [
            Array("é".utf8), Array("€".utf8), Array("𝄞".utf8), [0xFF], [0xC3], [0xE2, 0x82], [0xF0, 0x9D], [0x80], [65],
            [0xED, 0xA0, 0x80], [0xC0, 0x80],
        ]
        for _ in 0..<2000 {
            let bytes = (0..<8).flatMap { _ in parts.randomElement(using: &random)! }
            var repair = UTF8Repair()
            var position = 0
            var out = ""
            while position < bytes.count {
                let end = min(bytes.count, position + Int.random(in: 1...4, using: &random))
                out += repair.feed(bytes[position..<end])
                position = end
            }
            out += repair.finish()
            #expect(Array(out.utf8) == Array(String(decoding: bytes, as: UTF8.self).utf8))
        }
    }
}
