import AgentCore
import AgentExec
import AnsFlowProtocol
import ControllerCore
import FoundationEssentials
import Glibc
import Logging
import NIOCore
import NIOPosix

/// One run on this machine: the controller's engine and the agent's runtime in one process, the latter with real shims.
struct LocalRun {
    struct Options: Sendable {
        /// Jobs that run side by side.
        var slots: Int
        var keepsWorkspaces: Bool
        /// Where steps run in the working tree itself: its path.
        var inPlace: String?
        var mode: FollowPrinter.Mode
        /// Name of the user, who cancels with an interrupt.
        var actor: String
        /// What was said to approvals before anything ran, by the job's id.
        var answers: [String: [String: InputValue]] = [:]
    }

    struct End: Sendable {
        var run: RunModel
        /// The signal that asked for the end.
        var signal: Int32?
    }

    private let plan: RunPlan
    private let options: Options
    private let directory: ExecDirectory
    private let data: DataDirectory
    private let link: LocalLink
    private let store: LocalStore
    private let runtime: AgentRuntime
    private let engine: Engine
    private let signals: LocalSignals

    /// Sets everything up; nothing runs yet.
    init(
        _ plan: RunPlan, secrets: LocalSecrets, directory: ExecDirectory, options: Options, signals: LocalSignals
    ) async throws {
        self.plan = plan
        self.options = options
        self.directory = directory
        self.signals = signals
        let paths = AgentPaths(root: directory.path)
        data = try DataDirectory(paths)
        let containment = ContainmentProbe.run(storeID: data.storeID)
        let labels = LocalMachine.labels
        let profile = AgentProfile(
            version: Version.text, processNonce: HostFacts.randomName(bytes: 16), bootID: try HostFacts.bootID(),
            storeID: data.storeID, containment: containment.parent == nil ? .bestEffort : .cgroup2,
            slots: options.slots, labels: labels)
        var silent = Logger(label: "ansflow.exec") { _ in SwiftLogNoOpLogHandler() }
        silent.logLevel = .critical
        // Four: output is shown on these threads, and a slow terminal must not hold up the next start.
        let pool = NIOThreadPool(numberOfThreads: 4)
        pool.start()
        let program = HostFacts.ownProgram() ?? "/usr/bin/ansflow"
        runtime = try AgentRuntime(
            AgentRuntime.Settings(
                profile: profile, agentName: LocalMachine.name, agentProgram: program,
                spawner: try ShimSpawner(paths: paths, cgroupParent: containment.parent, leashed: true),
                warmShims: max(2, options.slots)),
            directory: data, loop: MultiThreadedEventLoopGroup.singleton.next(), pool: pool, log: silent)
        store = LocalStore(
            agent: AgentRow(
                id: LocalLink.agent, name: LocalMachine.name, key: "", labels: labels, slots: options.slots,
                createdAt: HostFacts.wallMs))
        let inPlace = options.inPlace
        link = LocalLink(
            store: store, view: LocalView(printer: FollowPrinter(mode: options.mode)), plan: plan, secrets: secrets,
            keepsWorkspaces: options.keepsWorkspaces
        ) { start in
            if let inPlace { LocalRun.link(workspaceOf: start.spec.jobAttempt.rawValue, in: paths, to: inPlace) }
        }
        engine = try await Engine(
            store: store, sink: link,
            time: EngineTime(wall: { HostFacts.wallMs }, steady: { Int64(clamping: HostFacts.nowMs) }), logger: silent,
            fatal: { _ in })
        link.attach(runtime: runtime, engine: engine)
    }

    /// Makes a job's workspace a link to the working tree, before the agent makes a directory of it.
    private static func link(workspaceOf job: Int64, in paths: AgentPaths, to tree: String) {
        mkdir(paths.workspace(job), 0o700)
        // There already where another step of the job has begun.
        symlink(tree, paths.source(job))
    }

    /// Runs it to its end.
    func run() async throws -> End {
        try await runtime.begin()
        let parts = [
            Task { [link] in await link.serve() },
            Task { [engine, link] in
                while !Task.isCancelled {
                    try? await Task.sleep(for: .seconds(1))
                    await engine.tick()
                    await link.heartbeat(at: HostFacts.wallMs)
                }
            },
        ]
        await runtime.opened(LocalLink.link, link)
        await link.waitForWelcome()
        let row = try await create()
        let watchers = [
            Task { [self] in await watch(row.id) },
            Task { [self] in await answer(row.id) },
        ]
        await link.waitForEnd()
        for watcher in watchers { watcher.cancel() }
        for part in parts { part.cancel() }
        await runtime.close()
        guard let run = store.model() else { throw ClientFailure(.serverFailed, "The run has no end.") }
        return End(run: run, signal: signals.first)
    }

    /// Removes workspaces, logs and the cgroup, once the shims are gone.
    func clean() {
        if options.keepsWorkspaces { return directory.keep() }
        directory.remove(storeID: data.storeID)
    }

    private func create() async throws -> RunRow {
        let pipeline = PipelineRow(
            id: PipelineID(1), project: .main, name: plan.name, definition: "", repositoryURL: "", ref: "",
            createdAt: HostFacts.wallMs, updatedAt: HostFacts.wallMs)
        let facts = plan.facts
        let request = RunRequest(
            pipeline: pipeline, plan: plan, event: facts.event, ref: facts.ref ?? "", branch: facts.branch ?? "",
            tag: facts.tag ?? "", commit: facts.commit ?? "",
            inputs: Dictionary(
                plan.inputs.compactMap { input in input.value.map { (input.name, $0.variable) } }
            ) { $1 },
            actor: options.actor)
        do {
            return try await engine.createRun(request)
        } catch {
            throw ClientFailure(.serverFailed, "The run cannot be made: \(error).")
        }
    }

    /// Says what the user said before, as soon as each job asks: until then the engine refuses it.
    private func answer(_ run: RunID) async {
        var open = options.answers
        while !open.isEmpty, !Task.isCancelled {
            for (job, inputs) in open {
                let said = try? await engine.approve(run, job: job, by: options.actor, inputs: inputs, reason: nil)
                if said != nil { open[job] = nil }
            }
            try? await Task.sleep(for: .milliseconds(50))
        }
    }

    /// The first signal cancels the run, so that its clean-up runs; the second kills; the third leaves at once, and the shims,
    /// which notice, end the steps.
    private func watch(_ run: RunID) async {
        for await count in signals.counts {
            switch count {
            case 1:
                Terminal.note("Stopping: steps get TERM and their grace time, `finally` runs. Once more kills them.")
                _ = try? await engine.cancelRun(
                    run, by: options.actor, reason: "interrupted", force: false, skipFinally: false)
            case 2:
                Terminal.note("Killing what runs.")
                await link.killAll()
                // What can't even be killed holds nobody up; the shims go on trying.
                Task { [signals] in
                    try? await Task.sleep(for: .seconds(10))
                    Glibc._exit(128 + (signals.first ?? SIGINT))
                }
            default: Glibc._exit(128 + (signals.first ?? SIGINT))
            }
        }
    }
}

/// What this machine is to a pipeline.
enum LocalMachine {
    static let name = "local"

    static var labels: [String: String] { ["os": "linux", "arch": HostFacts.architecture] }

    static var cores: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    static var user: String {
        ProcessInfo.processInfo.environment["USER"] ?? "uid \(getuid())"
    }
}
