import AgentShimCore
import Glibc
import Testing

@Suite("Started once, and found again")
struct StartTests {
    @Test("the start file decides: a second shim runs nothing and stays warm")
    func secondShim() throws {
        let first = try ShimHarness()
        #expect(try first.run("echo first >> ran; echo 1").ending == .exited(0))
        let second = try ShimHarness()
        try second.client.attach()
        // The same attempt, with files of its own as well as with the first one's.
        var own = second.spec(["sh", "-c", "echo second >> \(first.work)/ran"])
        own.startFile = first.start
        for spec in [own, first.spec(["sh", "-c", "echo third >> ran"])] {
            second.client.send(.start(spec))
            let report = try second.client.next { _ in true }
            guard case .startRefused(attempt: 1, .startFileExists, _) = report else {
                Issue.record("\(report)")
                return
            }
        }
        #expect(!Files.exists(second.spool) && !Files.exists(second.record))
        #expect(try first.text() == "1\n")
        #expect(Files.text("\(first.work)/ran") == "first\n")
        #expect(try second.run("echo 2").ending == .exited(0))
    }

    @Test("two shims at once: one of them runs it")
    func race() throws {
        for _ in 0..<10 {
            let first = try ShimHarness()
            let second = try ShimHarness()
            var spec = second.spec(["sh", "-c", "echo ran >> \(first.work)/ran"])
            spec.startFile = first.start
            try first.client.attach()
            try second.client.attach()
            first.client.send(.start(first.spec(["sh", "-c", "echo ran >> ran"])))
            second.client.send(.start(spec))
            var started = 0
            for shim in [first, second] {
                let report = try shim.client.next {
                    switch $0 {
                    case .started, .startRefused: true
                    default: false
                    }
                }
                if case .started = report {
                    started += 1
                    #expect(try shim.end().ending == .exited(0))
                }
            }
            #expect(started == 1)
            #expect(Files.text("\(first.work)/ran") == "ran\n")
        }
    }

    @Test("what can't be run is refused, and nothing is left of it")
    func refusals() throws {
        let shim = try ShimHarness()
        try shim.client.attach()
        var relative = shim.spec(["true"])
        relative.workingDirectory = "somewhere"
        var nowhere = shim.spec(["true"])
        nowhere.recordFile = "\(shim.directory)/missing/1.end"
        var unstartable = shim.spec(["true"])
        unstartable.startFile = "\(shim.directory)/missing/1"
        for (spec, reason) in [(relative, StartRefusal.badSpec), (nowhere, .storage), (unstartable, .storage)] {
            shim.client.send(.start(spec))
            let report = try shim.client.next { _ in true }
            guard case .startRefused(attempt: 1, reason, let message) = report else {
                Issue.record("\(report)")
                continue
            }
            #expect(message.hasSuffix("."))
            #expect(!Files.exists(shim.start) && !Files.exists(shim.spool) && !Files.exists(shim.record))
        }
        #expect(try shim.run("exit 0").ending == .exited(0))
    }

    @Test("the same START again starts nothing and is answered with the state")
    func repeated() throws {
        let shim = try ShimHarness()
        try shim.begin("echo x >> ran; until [ -e go ]; do sleep 0.02; done")
        shim.client.send(.start(shim.spec(["sh", "-c", "echo y >> ran"])))
        _ = try shim.client.next { if case .state(let state) = $0, case .running = state.phase { true } else { false } }
        var other = shim.spec(["true"])
        other.attempt = 2
        shim.client.send(.start(other))
        _ = try shim.client.next { if case .startRefused(attempt: 2, .busy, _) = $0 { true } else { false } }
        Files.write("\(shim.work)/go", "")
        _ = try shim.end()
        #expect(Files.text("\(shim.work)/ran") == "x\n")
    }

    @Test("a new connection gets the state, and the end", arguments: CgroupParent.kinds)
    func reconnect(_ kind: Containment) throws {
        let shim = try ShimHarness(kind)
        try shim.begin("echo hello; until [ -e go ]; do sleep 0.02; done; exit 9")
        _ = try shim.client.next { $0 == .spooled(bytes: 6, dropped: 0) }
        try shim.reconnect()
        let state = try shim.client.attach()
        guard case .running(attempt: 1, _, _, stopping: false) = state.phase else {
            Issue.record("\(state)")
            return
        }
        #expect(state.spooled == 6)
        shim.client.close()
        Files.write("\(shim.work)/go", "")
        #expect(eventually { Files.read(shim.record).flatMap { ExitRecord($0) } != nil })
        try shim.reconnect()
        guard case .ended(let record, treeEmpty: true) = try shim.client.attach().phase else {
            Issue.record("the end is not in the state")
            return
        }
        #expect(record.ending == .exited(9))
    }

    @Test("the shim outlives kill -9 of whoever started it", arguments: CgroupParent.kinds)
    func spawnerKilled(_ kind: Containment) throws {
        let directory = try ShimHarness.makeDirectory()
        defer { _ = try? Programs.run(["rm", "-rf", directory]) }
        mkdir("\(directory)/shim", 0o700)
        let command = ShimHarness.command(directory, kind).joined(separator: " ")
        let spawner = try Programs.spawn(
            ["sh", "-c", "\(command) && touch \(directory)/up; sleep 1000"], ownGroup: true)
        #expect(eventually { Files.exists("\(directory)/up") })
        #expect(kill(-spawner, SIGKILL) == 0)
        Programs.wait(spawner)
        let client = try ShimClient("\(directory)/shim")
        #expect(try client.attach().phase == .warm)
        client.send(.forget)
        #expect(client.waitClosed())
        if let parent = CgroupParent.path { rmdir("\(parent)/\(directory.split(separator: "/").last ?? "x")") }
    }

    @Test("a shim that is killed lets its lock go though its step lives", arguments: CgroupParent.kinds)
    func shimKilled(_ kind: Containment) throws {
        let shim = try ShimHarness(kind)
        let marker = "7\(getpid())\(Int.random(in: 1000...9999))"
        try shim.begin("sleep \(marker)")
        #expect(eventually { !Programs.find(commandLine: "sleep \(marker)", name: "sleep").isEmpty })
        #expect(shim.isLocked)
        let pid = try #require(shim.shimPID)
        #expect(kill(pid, SIGKILL) == 0)
        #expect(eventually { !shim.isLocked })
        let sleeper = try #require(Programs.find(commandLine: "sleep \(marker)", name: "sleep").first)
        #expect(Files.exists(shim.start))
        #expect(Files.read(shim.record).flatMap { ExitRecord($0) } == nil)
        if kind == .cgroup, let parent = CgroupParent.path {
            // What an agent does with the tree of a dead shim.
            let group = "\(parent)/\(shim.directory.split(separator: "/").last ?? "x")/shim"
            Files.write("\(group)/cgroup.kill", "1")
            #expect(eventually { rmdir(group) == 0 })
        } else {
            kill(sleeper, SIGKILL)
        }
        #expect(eventually { Programs.find(commandLine: "sleep \(marker)").isEmpty })
    }

    @Test("a parked child does not outlive its shim")
    func parkedChild() throws {
        let shim = try ShimHarness()
        let pid = try #require(shim.shimPID)
        #expect(Programs.find(commandLine: "\(shim.directory)/shim", name: "ansflow-parked").count == 1)
        #expect(kill(pid, SIGKILL) == 0)
        #expect(eventually { Programs.find(commandLine: "\(shim.directory)/shim").isEmpty })
    }

    @Test("a second shim in the same directory does not start")
    func locked() throws {
        let shim = try ShimHarness()
        #expect(
            try Programs.run([
                "sh", "-c", ShimHarness.command(shim.directory, .sweep).joined(separator: " ") + " 2>/dev/null",
            ]) == 1)
        #expect(try shim.run("echo still here").ending == .exited(0))
    }

    @Test("a directory whose path is longer than a socket's address")
    func longPath() throws {
        let base = try ShimHarness.makeDirectory()
        defer { _ = try? Programs.run(["rm", "-rf", base]) }
        let long = base + "/" + String(repeating: "d", count: 150)
        mkdir(long, 0o700)
        #expect(try ShimHarness(directory: long).run("exit 2").ending == .exited(2))
    }

    @Test("nonsense on the socket closes that connection only")
    func nonsense() throws {
        let shim = try ShimHarness()
        for bytes in [[UInt8](repeating: 0xFF, count: 64), [0, 0, 0, 0], [1, 0, 0, 0, 99]] {
            let client = try ShimClient("\(shim.directory)/shim")
            client.send(bytes)
            #expect(client.waitClosed())
        }
        // Without attach nothing can be started or ended.
        let stranger = try ShimClient("\(shim.directory)/shim")
        stranger.send(.forget)
        #expect(try shim.run("exit 1").ending == .exited(1))
    }
}
