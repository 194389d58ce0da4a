package import AgentCore
package import AnsFlowProtocol
package import Logging
package import NIOCore
package import NIOPosix

/// The agent's hands: owns the machine, feeds it one input after the other and carries out what it says.
///
/// Everything but spools, disk and children happens on one event loop, on which the shims' sockets live too, so that the way from a
/// shim's report to a frame has a single hop: to the thread that reads the spool and gives the message to the link.
package final class AgentRuntime: @unchecked Sendable {
    package struct Settings: Sendable {
        package var profile: AgentProfile
        package var agentName: String
        package var agentProgram: String
        package var spawner: ShimSpawner
        package var warmShims: Int

        package init(
            profile: AgentProfile, agentName: String, agentProgram: String, spawner: ShimSpawner, warmShims: Int = 2
        ) {
            self.profile = profile
            self.agentName = agentName
            self.agentProgram = agentProgram
            self.spawner = spawner
            self.warmShims = warmShims
        }
    }

    let settings: Settings
    let directory: DataDirectory
    let loop: any EventLoop
    let pool: NIOThreadPool
    let log: Logger
    private let journal: AgentJournal
    private(set) var host: ShimHost!
    private(set) var machine: AgentMachine
    private let survey: ShimSurvey
    private var inputs: [AgentInput] = []
    private var isHandling = false
    private let mayDial: EventLoopPromise<Void>
    private let exited: EventLoopPromise<AgentExitReason>
    private var hasDialled = false
    private var ticks: RepeatedTask?
    var wires: [UInt64: any AgentWire] = [:]
    var readers: [AttemptID: SpoolReader] = [:]

    /// Reads journal and shims. Blocks, so it is made before anything else runs.
    package init(
        _ settings: Settings, directory: DataDirectory, loop: any EventLoop, pool: NIOThreadPool, log: Logger
    ) throws {
        self.settings = settings
        self.directory = directory
        self.loop = loop
        self.pool = pool
        self.log = log
        let contents: AgentJournal.Contents
        (journal, contents) = try AgentJournal.open(directory.paths.journal, loop: loop, pool: pool)
        survey = ShimSurvey(
            contents, bootID: settings.profile.bootID, paths: directory.paths,
            cgroupParent: settings.spawner.cgroupParent)
        machine = AgentMachine(profile: settings.profile, recovering: survey.state, now: HostFacts.nowMs)
        mayDial = loop.makePromise()
        exited = loop.makePromise()
    }

    /// Adopts shims, settles what has to be settled, and returns when a link may be opened.
    package func begin() async throws {
        try await loop.submit { [self] in
            host = ShimHost(
                ShimHost.Settings(
                    paths: directory.paths, spawner: settings.spawner, bootID: settings.profile.bootID,
                    agentProgram: settings.agentProgram, agentName: settings.agentName, warmCount: settings.warmShims),
                journal: journal, loop: loop, pool: pool, emit: { [weak self] in self?.feed($0) },
                note: { [log] in log.warning("\($0)") })
            host.begin(survey)
            perform(machine.begin(now: HostFacts.nowMs))
            ticks = loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { [weak self] _ in
                self?.feed(.tick)
            }
        }.get()
        try await mayDial.futureResult.get()
    }

    /// Why the agent is to leave, once it is.
    package func exit() async throws -> AgentExitReason { try await exited.futureResult.get() }

    /// Lets go of links and shims. Steps live on with their shims; shims that run nothing go.
    package func close() async {
        try? await loop.submit { [self] in
            ticks?.cancel()
            host?.leave()
            for wire in wires.values { wire.close(.goingAway) }
            wires = [:]
            mayDial.fail(CancellationError())
            exited.fail(CancellationError())
        }.get()
    }

    // MARK: Inputs

    /// A link is open. Returns when the machine has taken it.
    package func opened(_ link: UInt64, _ wire: any AgentWire) async {
        await give(.linkOpened(link)) { $0.wires[link] = wire }
    }

    /// A message came. Returns when it was handled, so that a slow agent is not flooded.
    package func received(_ link: UInt64, _ bytes: [UInt8]) async {
        do {
            await give(.received(link, try WireCodec.decodeControllerMessage(bytes)))
        } catch {
            log.error("the controller sent what can't be read", metadata: ["error": "\(error)"])
            await give(nil) { $0.wires[link]?.close(.malformed) }
        }
    }

    package func closed(_ link: UInt64, code: CloseCode?) async {
        await give(.linkClosed(link, code: code)) { $0.wires[link] = nil }
    }

    package func revoked() async { await give(.revoked) }

    package func drain() async { await give(.drain) }

    private func give(_ input: AgentInput?, before: @escaping @Sendable (AgentRuntime) -> Void = { _ in }) async {
        try? await loop.submit { [self] in
            before(self)
            if let input { feed(input) }
        }.get()
    }

    /// One input after the other: what effects bring about comes after the effects.
    func feed(_ input: AgentInput) {
        loop.preconditionInEventLoop()
        inputs.append(input)
        guard !isHandling else { return }
        isHandling = true
        defer { isHandling = false }
        var next = 0
        while next < inputs.count {
            let effects = machine.handle(inputs[next], now: HostFacts.nowMs)
            next += 1
            perform(effects)
        }
        inputs.removeAll(keepingCapacity: inputs.count < 1024)
    }

    // MARK: Effects

    private func perform(_ effects: [AgentEffect]) {
        for effect in effects { perform(effect) }
    }

    private func perform(_ effect: AgentEffect) {
        switch effect {
        case .dial:
            if !hasDialled { mayDial.succeed() }
            hasDialled = true
        case .close(let link, let code): close(link, code)
        case .send(let link, let message): send(message, on: link)
        case .sendHeartbeat(let link):
            send(.heartbeat(HostFacts.heartbeat(dataDirectory: directory.paths.root)), on: link)
        case .sendLog(let link, let attempt, let from, let upTo):
            sendLog(link, attempt, from: from, upTo: upTo)
        case .hashLog(let attempt, let total): hash(attempt, total: total)
        case .journal(let entry): host.record(entry)
        case .startShim(let start):
            if let trace = start.spec.environment["TRACEPARENT"] {
                log.info("a step starts", metadata: ["attempt.id": "\(start.attempt)", "traceparent": "\(trace)"])
            }
            host.start(start)
        case .stopShim(let attempt, let reason, let grace): host.stop(attempt, reason, graceMs: grace)
        case .forgetShim(let attempt):
            readers[attempt] = nil
            host.forget(attempt)
        case .claimStartFile(let attempt): host.claim(attempt)
        case .cleanWorkspace(let job): host.clean(job)
        case .exit(let reason):
            log.notice("the agent leaves", metadata: ["reason": "\(reason)"])
            exited.succeed(reason)
        }
    }

    private func close(_ link: UInt64, _ code: CloseCode) {
        guard let wire = wires[link] else {
            // Gone already; the machine waits for the word.
            loop.execute { self.feed(.linkClosed(link, code: nil)) }
            return
        }
        wire.close(code)
    }
}
