import AgentShimCore
import Glibc
import Testing

@Suite("How a step is ended")
struct EndingTests {
    private static let stubborn = "trap '' TERM INT HUP; echo ready; while :; do sleep 1000; done"

    private func waitReady(_ shim: ShimHarness) throws {
        _ = try shim.client.next { if case .spooled(let bytes, _) = $0 { bytes >= 6 } else { false } }
    }

    @Test("TERM is enough for a step that listens", arguments: CgroupParent.kinds)
    func term(_ kind: Containment) throws {
        let shim = try ShimHarness(kind)
        try shim.begin("trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.05; done")
        try waitReady(shim)
        let before = ContinuousClock.now
        shim.client.send(.stop(.cancel, graceMs: 20_000))
        let record = try shim.end()
        #expect(record.ending == .stopped(.cancel))
        #expect(record.exitCode == 3)
        // A shell may say "Terminated" of its own child in between.
        #expect(try shim.text().hasSuffix("bye\n"))
        #expect(ContinuousClock.now - before < .seconds(10), "no grace is waited for an empty tree")
    }

    @Test("a step that ignores TERM is killed after its grace", arguments: CgroupParent.kinds)
    func kill(_ kind: Containment) throws {
        let shim = try ShimHarness(kind)
        try shim.begin(Self.stubborn + " # \(shim.directory)")
        try waitReady(shim)
        let before = ContinuousClock.now
        shim.client.send(.stop(.cancel, graceMs: 700))
        let record = try shim.end()
        let took = ContinuousClock.now - before
        #expect(record.ending == .stopped(.cancel))
        #expect(record.signal == SIGKILL)
        #expect(took >= .milliseconds(700) && took < .seconds(6))
        #expect(!record.unkillable)
        #expect(Programs.find(commandLine: "# \(shim.directory)").isEmpty)
    }

    @Test("a second stop makes the grace shorter")
    func shorter() throws {
        let shim = try ShimHarness()
        try shim.begin(Self.stubborn)
        try waitReady(shim)
        shim.client.send(.stop(.cancel, graceMs: 600_000))
        shim.client.send(.stop(.revoked, graceMs: 0))
        #expect(try shim.end().ending == .stopped(.cancel))
    }

    @Test("the deadline", arguments: CgroupParent.kinds)
    func deadline(_ kind: Containment) throws {
        let shim = try ShimHarness(kind)
        let before = ContinuousClock.now
        try shim.begin("sleep 1000", timeoutMs: 500)
        let record = try shim.end()
        #expect(record.ending == .timedOut)
        #expect(record.signal == SIGTERM)
        #expect(ContinuousClock.now - before >= .milliseconds(500))
        #expect(record.usage.wallMs >= 500)
    }

    @Test("a daemon that holds the output is swept soon after the step's end", arguments: CgroupParent.kinds)
    func doubleFork(_ kind: Containment) throws {
        let shim = try ShimHarness(kind)
        let marker = "9\(getpid())\(Int.random(in: 1000...9999))"
        let before = ContinuousClock.now
        let record = try shim.run(
            "(setsid sh -c 'sleep \(marker) & sleep \(marker)' & ) ; sleep 0.2; echo done; exit 4")
        #expect(record.ending == .exited(4))
        #expect(try shim.text() == "done\n")
        #expect(!record.unkillable)
        #expect(record.dropped == 0)
        let took = ContinuousClock.now - before
        #expect(took >= .seconds(2) && took < .seconds(8))
        #expect(Programs.find(commandLine: "sleep \(marker)").isEmpty)
    }

    @Test("a descendant that ends by itself within the grace is waited for", arguments: CgroupParent.kinds)
    func lingering(_ kind: Containment) throws {
        let shim = try ShimHarness(kind)
        let before = ContinuousClock.now
        let record = try shim.run("(sleep 0.4; echo late) & exit 0")
        #expect(record.ending == .exited(0))
        #expect(try shim.text() == "late\n")
        #expect(ContinuousClock.now - before < .milliseconds(1900))
    }

    @Test("a tree of many is killed whole", arguments: CgroupParent.kinds)
    func manyProcesses(_ kind: Containment) throws {
        let shim = try ShimHarness(kind)
        let marker = "8\(getpid())\(Int.random(in: 1000...9999))"
        try shim.begin(
            "trap '' TERM; for i in 1 2 3 4 5 6 7 8 9 10; do setsid sh -c 'sleep \(marker) & sleep \(marker); true' & done; echo ready; wait"
        )
        try waitReady(shim)
        shim.client.send(.stop(.cancel, graceMs: 0))
        let record = try shim.end()
        #expect(record.ending == .stopped(.cancel))
        #expect(!record.unkillable)
        #expect(Programs.find(commandLine: "sleep \(marker)").isEmpty)
    }

    @Test("FORGET does nothing to a running step and ends the shim of an ended one", arguments: CgroupParent.kinds)
    func forget(_ kind: Containment) throws {
        let shim = try ShimHarness(kind)
        try shim.begin("echo ready; until [ -e go ]; do sleep 0.02; done")
        try waitReady(shim)
        shim.client.send(.forget)
        let report = try shim.client.next { if case .state = $0 { true } else { false } }
        guard case .state(let state) = report, case .running = state.phase else {
            Issue.record("the step does not run any more: \(report)")
            return
        }
        Files.write("\(shim.work)/go", "")
        #expect(try shim.end().ending == .exited(0))
        shim.client.send(.forget)
        #expect(shim.client.waitClosed())
        #expect(eventually { !shim.isLocked })
        #expect(eventually { Programs.find(commandLine: "\(shim.directory)/shim").isEmpty })
        if kind == .cgroup, let parent = CgroupParent.path {
            let name = shim.directory.split(separator: "/").last ?? "x"
            #expect(eventually { !Files.exists("\(parent)/\(name)/shim") })
        }
    }

    @Test("FORGET ends a warm shim and its parked child", arguments: CgroupParent.kinds)
    func forgetWarm(_ kind: Containment) throws {
        let shim = try ShimHarness(kind)
        try shim.client.attach()
        shim.client.send(.forget)
        #expect(shim.client.waitClosed())
        #expect(eventually { Programs.find(commandLine: "\(shim.directory)/shim").isEmpty })
    }
}
