import AgentShimCore
import Glibc
import TestSupport
import Testing

/// A leashed shim goes with whoever started it; one without a leash stays.
@Suite("A shim on a leash")
struct LeashTests {
    /// A shim that was started with or without a leash, with a step that would go on for long.
    private func shim(leashed: Bool) throws -> ShimHarness {
        let shim = try ShimHarness(.sweep, more: leashed ? ["--leash"] : [])
        try shim.begin("echo ready; exec sleep 1000 # \(shim.directory)")
        _ = try shim.client.next { if case .spooled(let bytes, _) = $0 { bytes >= 6 } else { false } }
        return shim
    }

    @Test("its step ends when the agent's connection does, and it goes itself") func theStepEnds() throws {
        let shim = try shim(leashed: true)
        let pid = try #require(shim.shimPID)
        shim.client.close()
        try eventually(within: 20, "shim and step are gone") { !shim.isLocked && Glibc.kill(pid, 0) != 0 }
        #expect(Programs.find(commandLine: "# \(shim.directory)").isEmpty)
        let block = try #require(Files.read(shim.record))
        #expect(ExitRecord(block)?.ending == .stopped(.cancel))
    }

    @Test("without a leash the step outlives the connection") func theStepGoesOn() throws {
        let shim = try shim(leashed: false)
        shim.client.close()
        try shim.reconnect()
        guard case .running = try shim.client.attach().phase else {
            Issue.record("the step does not run any more")
            return
        }
    }

    @Test("where its files were removed nobody can find it: the step ends, and it goes") func forsaken() throws {
        let shim = try shim(leashed: false)
        guard case .running(_, let pid, _, _) = try shim.client.attach().phase else {
            throw TestFailure("the step does not run")
        }
        // Moved files are found again.
        try #require(rename("\(shim.directory)/shim", "\(shim.directory)/moved") == 0)
        shim.client.close()
        usleep(useconds_t(ShimLimits.forsakenLookMs + 1_500) * 1000)
        #expect(Glibc.kill(pid, 0) == 0, "it runs on")
        try #require(try Programs.run(["rm", "-rf", "\(shim.directory)/moved"]) == 0)
        try eventually(within: 20, "shim and step are gone") {
            Glibc.kill(pid, 0) != 0 && shim.shimPID == nil
        }
    }

    @Test("one that nobody has spoken to goes by itself") func nobodyCame() throws {
        let shim = try ShimHarness(.sweep, more: ["--leash"])
        shim.client.close()
        try eventually(within: 20, "the shim is gone") { !shim.isLocked }
        #expect(!Files.exists(shim.start))
    }
}
