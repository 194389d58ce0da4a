import AnsFlowProtocol
import Testing

@testable import ControllerLogs

@Suite(.timeLimit(.minutes(1)))
struct MemoryTests {
    let attempt = AttemptID(7)

    @Test func aDownloadKeepsNoBlocks() async throws {
        let bytes = Array((1...5000).map { "line number \($0)\n" }.joined().utf8)
        try await withHarness(smallBlocks) { harness in
            _ = harness.append(attempt, bytes, size: 500)
            try await harness.store.seal(attempt)
            #expect(try await harness.bytes(attempt) == bytes)
            #expect(harness.store.shared.cache.count == 0)
            // A page is likely to be asked for again.
            _ = try await harness.store.lines(attempt, from: 2500, count: 10)
            let kept = harness.store.shared.cache.count
            #expect(kept > 0)
            #expect(try await harness.bytes(attempt) == bytes)
            #expect(harness.store.shared.cache.count == kept)
            #expect(try await harness.bytes(attempt, 10..<4_000) == Array(bytes[10..<4_000]))
        }
    }

    @Test func theAllocatorGivesLargeBlocksBack() {
        Allocator.keepLittle()
        // Other tests of the process take and free memory meanwhile, so one good try of some counts; and what they left free
        // is used first, so that it takes more than they had.
        var best = 0
        for _ in 0..<20 where best < 80_000 {
            var blocks = (0..<400).map { [UInt8](repeating: UInt8($0 & 255), count: 1024 * 1024) }
            #expect(blocks.last?.first == 143)
            let before = Self.residentKiB
            blocks = []
            best = max(best, before - Self.residentKiB)
        }
        #expect(best >= 80_000)
    }

    private static var residentKiB: Int {
        guard let file = LogFile(path: "/proc/self/statm", flags: 0), let text = file.read(200, at: 0) else { return 0 }
        let fields = String(decoding: text, as: UTF8.self).split(separator: " ")
        return (Int(fields[1]) ?? 0) * 4
    }
}
