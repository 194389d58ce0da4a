import AgentShimCore
import Glibc
import Testing

@Suite("What a shim records")
struct SpoolTests {
    @Test("at the limit: a prefix is stored, the rest is counted, the step goes on")
    func limit() throws {
        let shim = try ShimHarness()
        let limit = 1 << 20
        let record = try shim.run("yes 0123456 | head -c 5242880; exit 7", limit: UInt64(limit))
        #expect(record.ending == .exited(7))
        #expect(record.spooled == UInt64(limit))
        #expect(record.dropped == UInt64(4 * limit))
        let output = try shim.output()
        #expect(output.count == limit)
        #expect(output == Array(repeatElement(Array("0123456\n".utf8), count: limit / 8).joined()))
    }

    @Test("a limit of no bytes")
    func none() throws {
        let shim = try ShimHarness()
        let record = try shim.run("echo 12345", limit: 0)
        #expect(record.spooled == 0)
        #expect(record.dropped == 6)
    }

    @Test("on a full disk the step goes on, and what is missing is counted")
    func diskFull() throws {
        let directory = try ShimHarness.makeDirectory()
        defer { _ = try? Programs.run(["rm", "-rf", directory]) }
        let mounted = try Programs.run(["sh", "-c", "mount -t tmpfs -o size=8m tmpfs \(directory) 2>/dev/null"])
        guard mounted == 0 else {
            withKnownIssue("A tmpfs can't be mounted here (it needs root): the full disk is not tried.") {
                Issue.record("mount exited with \(mounted)")
            }
            return
        }
        defer { _ = try? Programs.run(["umount", "-l", directory]) }
        let total = 50 << 20
        let shim = try ShimHarness(directory: directory)
        let record = try shim.run("yes 0123456 | head -c \(total); exit 5")
        #expect(record.ending == .exited(5))
        let output = try shim.output()
        #expect(output.count > 4 << 20)
        #expect(record.spooled == UInt64(output.count))
        #expect(record.dropped == UInt64(total - output.count))
        #expect(Array(output.prefix(8)) == Array("0123456\n".utf8))
    }

    @Test("secrets are never in the spool, also when they are written in pieces")
    func secrets() throws {
        let shim = try ShimHarness()
        let record = try shim.run(
            """
            printf 'a hunter2secret b\\n'
            printf hunter; sleep 0.1; printf 2sec; sleep 0.1; printf 'ret\\n'
            printf hunter2secret | base64
            printf 'hunter2'
            """, secrets: ["hunter2secret"])
        let text = try shim.text()
        #expect(text.hasPrefix("a *** b\n***\n***"))
        #expect(text.hasSuffix("\nhunter2"))
        #expect(record.spooled == UInt64(text.utf8.count))
        #expect(Files.read(shim.spool)?.contains(subsequence: Array("hunter2secret".utf8)) == false)
    }

    @Test("a value masked from inside the step")
    func maskAtRunTime() throws {
        let shim = try ShimHarness()
        try shim.begin(
            "echo ready; until [ -e go ]; do sleep 0.02; done; echo token-123456; printf '%s' $ANSFLOW_CONTROL")
        let inside = try ShimClient("\(shim.directory)/shim")
        inside.send(.mask(Array("abc".utf8)))
        #expect(try inside.next { _ in true } == .masked(false), "too short")
        inside.send(.mask(Array("token-123456".utf8)))
        #expect(try inside.next { _ in true } == .masked(true))
        Files.write("\(shim.work)/go", "")
        _ = try shim.end()
        #expect(try shim.text() == "ready\n***\n\(shim.directory)/shim/sock")
    }

    @Test("a record's file is there, whole, before the step has ended")
    func preallocated() throws {
        let shim = try ShimHarness()
        try shim.begin("until [ -e go ]; do sleep 0.02; done")
        let block = try #require(Files.read(shim.record))
        #expect(block.count == ExitRecord.size)
        #expect(ExitRecord(block) == nil)
        Files.write("\(shim.work)/go", "")
        #expect(try shim.end().ending == .exited(0))
    }
}

extension [UInt8] {
    func contains(subsequence other: [UInt8]) -> Bool {
        guard other.count <= count else { return false }
        return (0...count - other.count).contains { self[$0..<$0 + other.count].elementsEqual(other) }
    }
}
