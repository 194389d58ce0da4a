import AgentShimCore
import Glibc
import Testing

@Suite("A step under a real shim")
struct RunningTests {
    @Test("output and exit are recorded", arguments: CgroupParent.kinds)
    func simple(_ kind: Containment) throws {
        let shim = try ShimHarness(kind)
        #expect(try shim.client.attach().phase == .warm)
        let record = try shim.run("echo one; echo two >&2; pwd")
        #expect(record.ending == .exited(0))
        #expect(record.exitCode == 0)
        #expect(try shim.text() == "one\ntwo\n\(shim.work)\n")
        #expect(record.spooled == UInt64(try shim.output().count))
        #expect(record.dropped == 0)
        #expect(!record.unkillable)
        let state = try ShimClient("\(shim.directory)/shim").attach()
        #expect(state.containment == kind)
        #expect(state.phase == .ended(record, treeEmpty: true))
    }

    @Test("exit code 7", arguments: CgroupParent.kinds)
    func exitCode(_ kind: Containment) throws {
        #expect(try ShimHarness(kind).run("exit 7").ending == .exited(7))
    }

    @Test("a signal that the step sends itself")
    func signal() throws {
        let record = try ShimHarness().run("kill -KILL $$")
        #expect(record.ending == .signalled(SIGKILL))
        #expect(record.signal == SIGKILL)
        #expect(record.exitCode == nil)
    }

    @Test("a program that does not exist")
    func noProgram() throws {
        let shim = try ShimHarness()
        try shim.begin(shim.spec(["no-such-program"]))
        let record = try shim.end()
        #expect(record.ending == .startFailed(.program, errno: ENOENT))
        #expect(record.message.contains("no-such-program"))
        #expect(try shim.output().isEmpty)
    }

    @Test("a working directory that does not exist")
    func noDirectory() throws {
        let shim = try ShimHarness()
        var spec = shim.spec(["true"])
        spec.workingDirectory = "\(shim.directory)/nowhere"
        try shim.begin(spec)
        #expect(try shim.end().ending == .startFailed(.workingDirectory, errno: ENOENT))
    }

    @Test("the environment is what was asked for and the shim's socket")
    func environment() throws {
        let shim = try ShimHarness()
        try shim.begin(shim.spec(["env"], environment: ["A=1", "ANSFLOW_CONTROL=/elsewhere"]))
        _ = try shim.end()
        let lines = Set(try shim.text().split(separator: "\n").map(String.init))
        #expect(
            lines == [
                "PATH=/usr/local/bin:/usr/bin:/bin", "A=1", "ANSFLOW_CONTROL=\(shim.directory)/shim/sock",
            ])
    }

    @Test("nothing of the shim's is inherited: descriptors, signals, session")
    func inheritance() throws {
        let shim = try ShimHarness()
        _ = try shim.run(
            """
            ls /proc/$$/fd
            readlink /proc/$$/fd/0
            grep -E '^Sig(Blk|Ign)' /proc/self/status | tr -d '\\t' | tr '\\n' ' '
            [ "$(cut -d' ' -f6 /proc/$$/stat)" = $$ ] && echo own session
            """)
        let lines = try shim.text().split(separator: "\n")
        #expect(lines.prefix(4) == ["0", "1", "2", "/dev/null"])
        #expect(lines.last?.contains("SigBlk:0000000000000000 SigIgn:0000000000000000") == true)
        #expect(lines.last?.hasSuffix("own session") == true)
    }

    @Test("a log with no bytes")
    func silent() throws {
        let shim = try ShimHarness()
        let record = try shim.run("true")
        #expect(record.spooled == 0)
        #expect(record.dropped == 0)
        #expect(try shim.output().isEmpty)
    }

    @Test("a line of 20 MiB and random bytes come through unchanged")
    func large() throws {
        let shim = try ShimHarness()
        let record = try shim.run(
            "(head -c 20971520 /dev/zero; head -c 3000000 /dev/urandom) | tee written")
        let output = try shim.output()
        #expect(record.spooled == UInt64(output.count))
        #expect(Files.read("\(shim.work)/written") == output)
        let usage = record.usage
        #expect(usage.wallMs > 0 && usage.memoryPeakBytes > 0)
    }

    @Test("usage counts processor time", arguments: CgroupParent.kinds)
    func usage(_ kind: Containment) throws {
        let record = try ShimHarness(kind).run("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done")
        #expect(record.usage.cpuUserMs + record.usage.cpuSystemMs > 20)
        #expect(record.usage.wallMs >= 20)
    }
}
