import AnsFlowProtocol
import ControllerCore
import Logging
import Synchronization
import Testing

/// What happened, in order, as all parties of one test saw it.
private final class Diary: Sendable {
    private let lines = Mutex<[String]>([])
    func write(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }
}

/// A disk in memory that fails or waits when it is told to.
private actor MemoryStore: EngineStore {
    var rows: Rows
    var failures: [CommitFailure] = []
    /// A failed transaction may be durable all the same.
    var failuresAreDurable = false
    private var gate: CheckedContinuation<Void, Never>?
    private var closed = false
    private(set) var commits = 0
    let diary: Diary

    init(_ diary: Diary) {
        self.diary = diary
        rows = Rig(agents: 2).rows
    }

    func fail(_ failures: [CommitFailure], durable: Bool = false) {
        self.failures = failures
        failuresAreDurable = durable
    }
    func close() { closed = true }
    func open() {
        closed = false
        gate?.resume()
        gate = nil
    }
    var isHeld: Bool { gate != nil }

    func load() async throws -> EngineSnapshot { rows.snapshot }
    func attempt(_ id: AttemptID) async throws -> AttemptRow? { rows.attempts[id] }

    func commit(_ batch: CommitBatch) async throws(CommitFailure) {
        if closed { await withCheckedContinuation { gate = $0 } }
        commits += 1
        if !failures.isEmpty {
            let failure = failures.removeFirst()
            if failuresAreDurable { rows.apply(batch) }
            diary.write("failed")
            throw failure
        }
        rows.apply(batch)
        diary.write("committed \(batch.runs.count)")
    }
}

private struct DiarySink: EffectSink {
    let diary: Diary
    func perform(_ effects: [EngineEffect]) async { diary.write("effects") }
    func resynchronise() async { diary.write("resynchronise") }
}

@Suite(.timeLimit(.minutes(1))) struct EngineTests {
    private let diary = Diary()
    private let store: MemoryStore
    private let engine: Engine

    init() async throws {
        store = MemoryStore(diary)
        let diary = diary
        engine = try await Engine(
            store: store, sink: DiarySink(diary: diary), time: EngineTime(wall: { 5 }, steady: { 0 }),
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            fatal: { diary.write("fatal \($0)") })
    }

    /// Waits, by looking, for what another task is about to do.
    private func until(_ condition: () async -> Bool) async throws {
        while !(await condition()) { try await Task.sleep(for: .milliseconds(1)) }
    }

    private func create(_ key: String? = nil) async throws(CommandFailure) -> RunRow {
        try await engine.createRun(Make.request([Make.job("a")], key: key))
    }

    @Test func effectsFollowTheCommit() async throws {
        let row = try await create()
        #expect(row.id == 1)
        try await until { diary.all.contains("effects") }
        #expect(diary.all == ["committed 1", "effects"])
        #expect(await store.rows.runs[1] != nil)
    }

    @Test func nothingIsSeenBeforeItIsDurable() async throws {
        await store.close()
        async let made = create()
        try await until { await store.isHeld }
        #expect(await engine.statistics().activeRuns == 0)
        #expect(diary.all.isEmpty)
        await store.open()
        _ = try await made
        #expect(await engine.statistics().activeRuns == 1)
    }

    @Test func whatArrivesMeanwhileIsOneCommit() async throws {
        await store.close()
        async let first = create()
        try await until { await store.isHeld }
        try await withThrowingTaskGroup(of: RunID.self) { group in
            for _ in 0..<100 { group.addTask { try await create().id } }
            try await until { await engine.waitingInputs == 100 }
            await store.open()
            var ids: Set<RunID> = []
            for try await id in group { ids.insert(id) }
            #expect(ids.count == 100)
        }
        _ = try await first
        let commits = await store.commits
        #expect(commits <= 4, "a hundred inputs took \(commits) commits")
        #expect(await store.rows.runs.count == 101)
    }

    @Test func aFullDiskHaltsAndHeals() async throws {
        await store.fail([.disk("no space"), .disk("no space"), .disk("no space")])
        await #expect(throws: CommandFailure.notWritable("no space")) { try await create() }
        #expect(engine.isHalted)
        #expect(await engine.statistics().halted == "no space")
        #expect(await engine.waitingReasons(1).map(\.kind) == [.halted])
        await #expect(throws: CommandFailure.notWritable("no space")) { try await create() }
        await engine.tick()
        await engine.tick()
        #expect(engine.isHalted)
        #expect(!diary.all.contains("resynchronise") && !diary.all.contains("effects"))
        await engine.tick()
        #expect(!engine.isHalted)
        #expect(diary.all.last == "resynchronise")
        #expect(try await create().id == 1)
    }

    /// The transaction whose answer was lost is there after the reload, and the same key finds its run.
    @Test func aFailedCommitMayBeDurable() async throws {
        await store.fail([.disk("no answer")], durable: true)
        await #expect(throws: CommandFailure.self) { try await create("key") }
        await engine.tick()
        #expect(try await create("key").id == 1)
        #expect(await store.rows.runs.count == 1)
    }

    @Test func allOfAFailedGroupAreRefused() async throws {
        await store.close()
        let first = Task { try await create() }
        try await until { await store.isHeld }
        let others = (0..<20).map { _ in Task { try await create() } }
        try await until { await engine.waitingInputs == 20 }
        await store.fail([.refused("constraint")])
        await store.open()
        var refused = 0
        for other in others { if (try? await other.value) == nil { refused += 1 } }
        await #expect(throws: CommandFailure.self) { try await first.value }
        #expect(refused == 20)
        #expect(await store.rows.runs.isEmpty)
    }

    @Test func aFailedFsyncEndsEverything() async throws {
        await store.fail([.fsync("EIO")])
        await #expect(throws: CommandFailure.notWritable("EIO")) { try await create() }
        #expect(diary.all == ["failed", "fatal EIO"])
        await engine.tick()
        await #expect(throws: CommandFailure.self) { try await create() }
        #expect(engine.isHalted && diary.all == ["failed", "fatal EIO"], "nothing may be written after a failed fsync")
    }

    @Test func tooMuchIsRefusedButNotTheEndOfAConnection() async throws {
        await store.close()
        async let first = create()
        try await until { await store.isHeld }
        for _ in 0..<EngineLimits.inboxMax { await engine.tell { _ in } }
        await #expect(throws: CommandFailure.overloaded) { try await create() }
        let heard = Diary()
        await engine.tell { _ in heard.write("refused") }
        await engine.tell(always: true) { _ in heard.write("taken") }
        await store.open()
        _ = try await first
        // What was told before it still waits for a moment.
        try await until { (try? await create()) != nil }
        #expect(heard.all == ["taken"])
    }

    @Test func anAgentsEffectsComeBehindItsCommit() async throws {
        let hello = Hello(
            version: "1", processNonce: "p", bootID: "b", storeID: "s", highestAttemptSeen: 0, containment: .cgroup2,
            slots: 1, labels: [:], attempts: [])
        let answer = try await engine.submit {
            $0.agentConnected(1, session: 1, remote: "", hello: hello, logNext: [:], writable: true)
        }
        guard case .welcome = answer else {
            Issue.record("refused")
            return
        }
        _ = try await create()
        try await until { diary.all.last == "effects" }
        #expect(await store.rows.attempts[1]?.outcome == nil)
        #expect(await engine.agent(1)?.busy == 1)
        #expect(await engine.agents().map(\.row.name) == ["agent-1", "agent-2"])
        await #expect(throws: CommandFailure.notFound) { try await engine.pauseAgent(9, note: nil) }
    }
}
