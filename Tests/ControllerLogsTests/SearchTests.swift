import AnsFlowProtocol
import FoundationEssentials
import Glibc
import Testing

import struct ControllerCore.LogHit
import struct ControllerCore.LogMatches
import struct ControllerCore.LogOverview
import struct ControllerCore.LogQuery
import enum ControllerCore.LogSearchFailure
import struct ControllerCore.LogSection

@testable import ControllerLogs

/// Sections, levels, colours and search, against naive oracles.
@Suite(.timeLimit(.minutes(3)))
struct SearchTests {
    let attempt = AttemptID(31)

    private struct Table: Decodable {
        var cases: [[String]]
    }

    private func seen(_ line: String) -> String {
        Array(line.utf8).withUnsafeBytes { String(decoding: VisibleText.of($0), as: UTF8.self) }
    }

    /// The same table is held against what the page shows.
    @Test func whatIsSeenOfALineIsAsThePageShowsIt() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "../Browser/unit/visible-text.json")
        let table = try JSONDecoder().decode(Table.self, from: Data(contentsOf: file))
        #expect(table.cases.count > 20)
        for one in table.cases { #expect(seen(one[0]) == one[1], "\(one[0].debugDescription)") }
    }

    /// Appends lines, each frame at its time, and reads the overview, live and closed.
    private func overviews(_ text: String, blocks: LogStoreConfiguration? = nil) async throws -> [LogOverview] {
        var result: [LogOverview] = []
        try await withHarness(blocks ?? smallBlocks) { harness in
            _ = harness.append(attempt, Array(text.utf8), size: 100)
            result.append(try await harness.store.overview(attempt))
            _ = try await harness.store.compress(attempt)
            try await harness.store.dropSegment(attempt)
            result.append(try await harness.store.overview(attempt))
        }
        return result
    }

    private func titles(_ overview: LogOverview) -> [String] {
        overview.sections.map { "\($0.level) \($0.start)-\($0.end.map { String($0) } ?? "") \($0.title)" }
    }

    @Test func sectionsComeOfMarkers() async throws {
        let text = """
            start
            ##[group]Set up
            a
            ::group::Inner
            b
            ::endgroup::
            ##[endgroup]
            \u{1b}[0Ksection_start:1700000000:prepare[collapsed=true]\r\u{1b}[0KPrepare it
            c
            section_end:1700000001:prepare\r\u{1b}[0K
            --- Build
            d
            +++ Test
            --- a/file.swift
            +++ b/file.swift
            --- FAIL: TestX
            e

            """
        let found = try await overviews(text)
        #expect(
            titles(found[1]) == ["1 2-7 Set up", "2 4-6 Inner", "1 8-10 Prepare it", "1 11-12 Build", "1 13-17 Test"])
        #expect(found[1].sections.map(\.opens) == [nil, nil, false, nil, true])
        #expect(titles(found[0]).last == "1 13- Test")
        #expect(found[0].scanned == 17)
    }

    @Test func levelsComeOfWords() async throws {
        let lines: [(String, Character)] = [
            ("error: no such file", "e"), ("main.c:3:1: error: x", "e"), ("\u{1b}[31mERROR\u{1b}[0m it broke", "e"),
            ("TypeError: x", "e"),
            ("0 errors", " "), ("no error: fine", " "), ("error_handler.swift", " "), ("FAILED tests/a.py", "e"),
            ("##[error]x", "e"),
            ("panic: oh", "e"), ("Traceback (most recent call last):", "e"), ("warning: deprecated", "w"),
            ("[WARN] slow", "w"),
            ("2 warnings generated", " "), ("all fine", " "), ("fatal: not a repository", "e"), ("failure-rate 0", " "),
        ]
        let found = try await overviews(lines.map(\.0).joined(separator: "\n") + "\n")
        let errors = lines.indices.filter { lines[$0].1 == "e" }.map { UInt64($0 + 1) }
        let warnings = lines.indices.filter { lines[$0].1 == "w" }.map { UInt64($0 + 1) }
        for overview in found {
            #expect(overview.errors == errors)
            #expect(overview.warnings == warnings)
            #expect(overview.errorCount == UInt64(errors.count))
        }
    }

    @Test func coloursThatGoOnAreKnownWhereBlocksBegin() async throws {
        var lines = (1...1600).map { "line \($0)" }
        lines[10] = "\u{1b}[1;31mred from here"
        lines[600] = "\u{1b}[38;5;208m orange"
        lines[1100] = "\u{1b}[0m plain"
        let found = try await overviews(lines.joined(separator: "\n") + "\n")
        for overview in found {
            #expect(overview.styles == [.init(block: 1, sgr: "1;31"), .init(block: 2, sgr: "1;38;5;208")])
        }
    }

    private func all(_ harness: Harness, _ query: LogQuery) async throws -> (hits: [LogHit], count: UInt64) {
        var query = query
        var hits: [LogHit] = []
        var count: UInt64 = 0
        while true {
            let matches = try await harness.store.search(attempt, query)
            hits += matches.hits
            count += matches.count
            guard let next = matches.nextLine else { return (hits, count) }
            #expect(next > query.fromLine)
            query.fromLine = next
        }
    }

    @Test(arguments: [1, 2] as [UInt64])
    func searchFindsWhatALookAtEveryLineFinds(seed: UInt64) async throws {
        var random = Seeded(state: seed)
        let words = ["needle", "Needle", "hay", "\u{1b}[31mneed\u{1b}[0mle", "über", "x\rneedle", "{}", "🚀 needle"]
        let lines = (0..<4000).map { _ in
            (0..<Int.random(in: 0...6, using: &random)).map { _ in words.randomElement(using: &random)! }.joined(
                separator: " ")
        }
        let text = lines.joined(separator: "\n") + "\n"
        for isClosed in [false, true] {
            try await withHarness(smallBlocks) { harness in
                _ = harness.append(attempt, Array(text.utf8), size: 700)
                if isClosed {
                    _ = try await harness.store.compress(attempt)
                    try await harness.store.dropSegment(attempt)
                }
                for (needle, matchesCase) in [("needle", true), ("NEEDLE", false), ("über", true), ("absent", false)] {
                    var expected: [LogHit] = []
                    for (index, line) in lines.enumerated() {
                        let visible = seen(line)
                        var rest = visible.startIndex..<visible.endIndex
                        while let range = Self.find(needle, in: visible[rest], matchesCase) {
                            expected.append(
                                LogHit(
                                    line: UInt64(index + 1), column: visible[..<range.lowerBound].utf16.count,
                                    length: needle.utf16.count))
                            rest = range.upperBound..<visible.endIndex
                        }
                    }
                    let query = LogQuery(text: needle, matchesCase: matchesCase, limit: 100_000)
                    let found = try await all(harness, query)
                    #expect(found.hits == expected)
                    #expect(found.count == UInt64(expected.count))
                    let regex = LogQuery(text: needle, isRegex: true, matchesCase: matchesCase, limit: 100_000)
                    let same = try await all(harness, regex)
                    #expect(same.hits == expected)
                    let part = try await harness.store.search(
                        attempt, LogQuery(text: needle, matchesCase: matchesCase, fromLine: 2000, limit: 3))
                    #expect(part.hits == Array(expected.filter { $0.line >= 2000 }.prefix(3)))
                }
            }
        }
    }

    private static func find(_ needle: String, in text: Substring, _ matchesCase: Bool) -> Range<String.Index>? {
        var at = text.startIndex
        while at < text.endIndex {
            let rest = text[at...]
            let head = rest.prefix(needle.count)
            if matchesCase ? head == needle[...] : head.lowercased() == needle.lowercased() {
                return at..<head.endIndex
            }
            at = text.index(after: at)
        }
        return nil
    }

    @Test func patternsOfPeopleAndOnesThatAreRefused() async throws {
        try await withHarness(smallBlocks) { harness in
            _ = harness.append(attempt, Array("took 15 ms\ntook 7 s\n[a] \\d end\n".utf8))
            func lines(_ pattern: String) async throws -> [UInt64] {
                try await harness.store.search(attempt, LogQuery(text: pattern, isRegex: true, limit: 10)).hits.map(
                    \.line)
            }
            let expected: [(String, [UInt64])] = [
                (#"\d+ ms$"#, [1]), (#"took [\d]+ (ms|s)"#, [1, 2]), (#"^\[a\]"#, [3]), (#"\bs\b"#, [2]), ("x*", []),
            ]
            for (pattern, numbers) in expected {
                let found = try await lines(pattern)
                #expect(found == numbers, "\(pattern)")
            }
            for bad in [
                "(", "[", "a{1000}", "(((a{100}){100}){100})", "(a)\\1", "(?:a)", "a*?", "\\", "",
                String(repeating: "a", count: 300),
            ] {
                await #expect(throws: LogSearchFailure.self, "\(bad)") { try await lines(bad) }
            }
        }
    }

    /// Patterns that make a matcher's states explode end in a time that is bounded.
    @Test func noPatternTakesForEver() async throws {
        try await withHarness(LogStoreConfiguration()) { harness in
            let line = String(repeating: "ab", count: 2000) + "\n"
            _ = harness.append(attempt, Array(String(repeating: line, count: 20).utf8))
            let began = ContinuousClock.now
            for pattern in ["(a|b)*a(a|b){12}c", "(a*)*c", "((a|b)+)+c"] {
                let found = try await harness.store.search(attempt, LogQuery(text: pattern, isRegex: true, limit: 10))
                #expect(found.count == 0)
            }
            #expect(ContinuousClock.now - began < .seconds(60))
        }
    }
}
