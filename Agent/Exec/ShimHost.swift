package import AgentCore
import AgentShimCore
package import AnsFlowProtocol
import CAgentSystem
import Glibc
package import NIOCore
package import NIOPosix

/// Keeps shims warm, hands attempts to them and says what they report. Confined to its event loop.
package final class ShimHost: @unchecked Sendable {
    package struct Settings: Sendable {
        package var paths: AgentPaths
        package var spawner: ShimSpawner
        package var bootID: String
        /// The program of built-in steps.
        package var agentProgram: String
        package var agentName: String
        package var environment: StepEnvironment
        /// Shims that wait for work, at most.
        package var warmCount: Int

        package init(
            paths: AgentPaths, spawner: ShimSpawner, bootID: String, agentProgram: String, agentName: String,
            environment: StepEnvironment = .ofThisProcess, warmCount: Int = 2
        ) {
            self.paths = paths
            self.spawner = spawner
            self.bootID = bootID
            self.agentProgram = agentProgram
            self.agentName = agentName
            self.environment = environment
            self.warmCount = warmCount
        }
    }

    /// One shim that this process knows.
    final class Shim {
        let name: String
        var attempt: AttemptID?
        var job: JobAttemptID?
        var connection: ShimConnection?
        var isWarm = false
        /// START was sent and nothing was heard of it.
        var owesAnswer = false
        var hasEnded = false
        /// It was told to go.
        var isDismissed = false
        /// The attempt's files may go once it is gone.
        var isForgotten = false

        init(name: String, attempt: AttemptID? = nil, job: JobAttemptID? = nil) {
            self.name = name
            self.attempt = attempt
            self.job = job
        }
    }

    /// For starts of shims alone, which block: no attempt waits for whatever else takes Swift's pool, and no journal entry for
    /// a start.
    private static let starters: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: 2)
        pool.start()
        return pool
    }()

    let settings: Settings
    let loop: any EventLoop
    let pool: NIOThreadPool
    let journal: AgentJournal
    let probe: ShimProbe
    let emit: (AgentInput) -> Void
    let note: (String) -> Void
    private let containment: Hello.Containment
    let workspaces: Workspaces
    private let prefix = HostFacts.randomName(bytes: 4)
    private var count = 0
    private var spawning = 0
    private var failures = 0
    private var isClosed = false
    private var waiting: [(AttemptID, JobAttemptID)] = []
    /// Fresh workspaces, and how many are being made.
    private var readyWorkspaces: [String] = []
    private var preparing = 0
    /// Whether a look at the shims to be kept warm is due in a moment.
    private var refillIsDue = false
    private var lastAccept: UInt64 = 0
    private var isBusy = false
    var removals = Removals()
    var shims: [String: Shim] = [:]
    /// The shim that an attempt was given to.
    var byAttempt: [AttemptID: Shim] = [:]

    /// - Parameters:
    ///   - emit: Called on the loop with what happens.
    ///   - note: Called with sentences for the agent's log.
    package init(
        _ settings: Settings, journal: AgentJournal, loop: any EventLoop, pool: NIOThreadPool,
        emit: @escaping (AgentInput) -> Void, note: @escaping (String) -> Void = { _ in }
    ) {
        self.settings = settings
        self.journal = journal
        self.loop = loop
        self.pool = pool
        self.emit = emit
        self.note = note
        containment = settings.spawner.cgroupParent == nil ? .bestEffort : .cgroup2
        workspaces = Workspaces(settings.paths)
        probe = ShimProbe(paths: settings.paths, cgroupParent: settings.spawner.cgroupParent)
    }

    /// Takes over what a survey found alive, and begins to keep shims warm.
    package func begin(_ survey: ShimSurvey) {
        loop.preconditionInEventLoop()
        for found in survey.living {
            let shim = Shim(
                name: found.shim, attempt: AttemptID(found.attempt), job: JobAttemptID(found.jobAttempt))
            shims[shim.name] = shim
            byAttempt[AttemptID(found.attempt)] = shim
            if let attached = found.attached {
                if case .ended(_, let treeEmpty) = attached.state.phase {
                    shim.hasEnded = true
                    if treeEmpty { emit(.vacated(AttemptID(found.attempt))) }
                }
                open(shim, attached.descriptor, reader: attached.reader)
            } else {
                reconnect(shim)
            }
        }
        // What an earlier process made and did not use.
        readyWorkspaces = workspaces.prepared
        for name in readyWorkspaces.dropFirst(settings.warmCount) { try? workspaces.discard(prepared: name) }
        readyWorkspaces = Array(readyWorkspaces.prefix(settings.warmCount))
        refill()
    }

    /// The agent stops in good order: shims that run nothing go at once, the others live on for the next agent.
    package func leave() {
        for shim in shims.values where shim.attempt == nil { dismiss(shim) }
        close()
    }

    /// Lets go of all shims, as the agent's death does; they live on, those that run nothing for a minute.
    package func close() {
        isClosed = true
        for shim in shims.values { shim.connection?.close() }
    }

    // MARK: Effects

    /// Gives an attempt a warm shim and journals both.
    package func accept(_ attempt: AttemptID, _ job: JobAttemptID) {
        guard let shim = shims.values.filter({ $0.isWarm }).min(by: { $0.name < $1.name }) else {
            waiting.append((attempt, job))
            refill()
            return
        }
        if let old = byAttempt[attempt] { dismiss(old) }
        shim.isWarm = false
        shim.attempt = attempt
        shim.job = job
        byAttempt[attempt] = shim
        let entry = JournalEntry.accept(
            attempt: attempt.rawValue, jobAttempt: job.rawValue, bootID: settings.bootID, shim: shim.name)
        journal.append(entry, sync: true) { [self] result in
            switch result {
            case .success: emit(.journalled(attempt))
            case .failure(let error): emit(.notJournalled(attempt, reason: error.description))
            }
        }
        let now = HostFacts.nowMs
        isBusy = now < lastAccept + Self.busyMs
        lastAccept = now
        removals.begun(at: now)
        refillSoon()
    }

    package func start(_ start: Start) {
        let attempt = start.attempt
        guard let shim = byAttempt[attempt], shim.connection != nil, !shim.isDismissed else {
            // It died while the journal was written; the claim shows that nothing runs.
            emit(.shimLost(attempt, spooled: 0))
            return
        }
        do {
            if try workspaces.make(start.spec.jobAttempt.rawValue, from: readyWorkspaces.last) {
                readyWorkspaces.removeLast()
                refillSoon()
            }
            let spec = try specification(start)
            if let fault = StepCommand.fault(arguments: spec.arguments, variables: spec.environment) {
                return emit(.shimUnable(attempt, reason: fault))
            }
            shim.owesAnswer = true
            try shim.connection?.send(.start(spec))
        } catch {
            shim.owesAnswer = false
            emit(.shimUnable(attempt, reason: String(describing: error)))
        }
    }

    private func specification(_ start: Start) throws -> ShimSpec {
        let paths = settings.paths
        let attempt = start.attempt.rawValue
        let own = try StepCommand.variables(for: start.spec, attempt: start.attempt, paths: paths)
        let variables = settings.environment.variables(
            for: start, paths: paths, agentName: settings.agentName, containment: containment)
        return ShimSpec(
            attempt: attempt,
            arguments: StepCommand.arguments(for: start.spec, agentProgram: settings.agentProgram),
            environment: variables + own, workingDirectory: paths.source(start.spec.jobAttempt.rawValue),
            startFile: paths.startFile(attempt), spoolFile: paths.spool(attempt),
            recordFile: paths.exitRecord(attempt), timeoutMs: start.spec.timeoutMs, graceMs: start.spec.graceMs,
            logLimitBytes: min(start.spec.logLimitBytes, ProtocolLimits.logBytesMax),
            secrets: start.secrets.sorted { $0.key < $1.key }.map { Array($0.value.utf8) })
    }

    package func stop(_ attempt: AttemptID, _ reason: StopReason, graceMs: UInt64) {
        try? byAttempt[attempt]?.connection?.send(.stop(ShimStopReason(reason), graceMs: graceMs))
    }

    /// Makes the attempt's start file, so that no shim ever starts it.
    package func claim(_ attempt: AttemptID) {
        let file = Glibc.open(
            settings.paths.startFile(attempt.rawValue), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        if file >= 0 {
            Glibc.close(file)
            if let shim = byAttempt[attempt] { dismiss(shim) }
            return emit(.claimed(attempt, won: true))
        }
        guard errno != EEXIST else { return emit(.claimed(attempt, won: false)) }
        note(FileFailure("Can't make", settings.paths.startFile(attempt.rawValue), errno).description)
        later(milliseconds: 1_000) { self.claim(attempt) }
    }

    /// Writes to the journal what needs no answer.
    package func record(_ entry: AgentJournalEntry) {
        switch entry {
        case .accept(let attempt, let job): accept(attempt, job)
        case .neverStarted(let attempt): journal.append(.claimedNeverStart(attempt: attempt.rawValue), sync: false)
        case .forgotten(let attempt):
            waiting.removeAll { $0.0 == attempt }
            journal.append(.forgotten(attempt: attempt.rawValue), sync: false)
        }
    }

    /// Lets the attempt's shim go and removes the attempt's files, after the journal says that it is forgotten.
    package func forget(_ attempt: AttemptID) {
        journal.barrier { [self] _ in
            guard let shim = byAttempt[attempt] else { return removeFiles(of: attempt, shim: nil) }
            byAttempt[attempt] = nil
            shim.isForgotten = true
            dismiss(shim)
            if shim.connection == nil { buried(shim) }
        }
    }

    // MARK: Warm shims

    /// How long a step that begins has the machine's cores for itself, and within what time of one step the next one is a sign of
    /// many, in milliseconds.
    private static let refillMs: Int64 = 25
    private static let busyMs: UInt64 = 40

    /// Makes up for a shim that was taken, but not beside the step that took it: behind its STARTED where steps come one after the
    /// other, so that none waits for a shim, else after a while.
    private func refillSoon() {
        guard waiting.isEmpty else { return refill() }
        guard !refillIsDue else { return }
        refillIsDue = true
        later(milliseconds: Self.refillMs) { [self] in
            refillIsDue = false
            refill()
        }
    }

    /// A step runs.
    func refillIfBusy() {
        if isBusy || !shims.values.contains(where: \.isWarm) { refill() }
    }

    private func refill() {
        guard !isClosed else { return }
        prepareWorkspaces()
        let ready = shims.values.filter { $0.isWarm }.count
        let wanted = settings.warmCount + waiting.count - ready - spawning
        guard wanted > 0 else { return }
        for _ in 0..<min(wanted, max(0, 4 - spawning)) { spawn() }
    }

    private func spawn() {
        count += 1
        spawning += 1
        let name = "\(prefix)-\(count)"
        let settings = settings
        Self.starters.submit { [self] _ in
            let outcome = Result { try settings.spawner.spawn(name) }
            loop.execute { [self] in spawned(name, outcome) }
        }
    }

    private func prepareWorkspaces() {
        let workspaces = workspaces
        while readyWorkspaces.count + preparing < settings.warmCount {
            count += 1
            preparing += 1
            let name = "\(prefix)-\(count)"
            Self.starters.submit { [self] _ in
                // Where that fails, the attempt makes its own and says what is wrong.
                let isReady = (try? workspaces.prepare(name)) != nil
                loop.execute { [self] in
                    preparing -= 1
                    if isReady { readyWorkspaces.append(name) }
                }
            }
        }
    }

    private func spawned(_ name: String, _ outcome: Result<Void, any Error>) {
        spawning -= 1
        guard !isClosed else { return }
        switch outcome {
        case .success:
            failures = 0
            let shim = Shim(name: name)
            shims[name] = shim
            connect(shim)
        case .failure(let error):
            failures += 1
            note("A shim could not be started: \(error)")
            let stranded = waiting
            waiting = []
            for (attempt, _) in stranded { emit(.notJournalled(attempt, reason: "No shim could be started: \(error)")) }
            later(milliseconds: Int64(min(30_000, 500 << min(failures, 6)))) { self.refill() }
        }
    }

    func becameWarm(_ shim: Shim) {
        shim.isWarm = true
        guard !waiting.isEmpty else { return }
        let (attempt, job) = waiting.removeFirst()
        accept(attempt, job)
    }

    func lostWarm(_ shim: Shim) {
        shims[shim.name] = nil
        let probe = probe
        let name = shim.name
        pool.submit { _ in
            probe.emptyTree(name)
            probe.removeDirectory(name)
        }
        later(milliseconds: 1_000) { self.refill() }
    }

    /// Tells a shim to go. It does, unless something runs in it.
    func dismiss(_ shim: Shim) {
        shim.isDismissed = true
        shim.isWarm = false
        try? shim.connection?.send(.forget)
    }

    func later(milliseconds: Int64, _ body: @escaping () -> Void) {
        let bound = NIOLoopBound(body, eventLoop: loop)
        loop.scheduleTask(in: .milliseconds(milliseconds)) { [self] in
            if !isClosed { bound.value() }
        }
    }
}
