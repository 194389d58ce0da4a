import AgentCore
import AnsFlowProtocol

/// A machine with what it did, for short tests.
struct Bench {
    var machine: AgentMachine
    var now: UInt64 = 1000
    var effects: [AgentEffect] = []
    private var links: UInt64 = 0

    init(slots: Int = 2, recovering state: RecoveredState = RecoveredState()) {
        let profile = AgentProfile(
            version: "1.0", processNonce: "n", bootID: "b", storeID: "s", containment: .cgroup2, slots: slots,
            labels: [:])
        machine = AgentMachine(profile: profile, recovering: state, now: now)
        effects = machine.begin(now: now)
    }

    @discardableResult
    mutating func feed(_ input: AgentInput) -> [AgentEffect] {
        effects = machine.handle(input, now: now)
        return effects
    }

    /// Opens a new link and answers its HELLO with `verdicts`.
    @discardableResult
    mutating func connect(_ verdicts: [Welcome.Entry] = [], writable: Bool = true) -> [AgentEffect] {
        links += 1
        feed(.linkOpened(links))
        return tell(.welcome(welcome(verdicts, writable: writable)))
    }

    func welcome(_ verdicts: [Welcome.Entry] = [], writable: Bool = true) -> Welcome {
        Welcome(proto: 1, generation: 1, agent: AgentID(1), verdicts: verdicts, writable: writable)
    }

    @discardableResult
    mutating func reconnect(_ verdicts: [Welcome.Entry] = []) -> [AgentEffect] {
        feed(.linkClosed(links, code: nil))
        return connect(verdicts)
    }

    @discardableResult
    mutating func tell(_ message: ControllerMessage) -> [AgentEffect] { feed(.received(links, message)) }

    @discardableResult
    mutating func pass(_ milliseconds: UInt64) -> [AgentEffect] {
        now += milliseconds
        return feed(.tick)
    }

    var link: UInt64 { links }
    var sent: [AgentMessage] {
        effects.compactMap { if case .send(_, let message) = $0 { message } else { nil } }
    }
    var finish: Finish? {
        for case .finish(let finish) in sent { return finish }
        return nil
    }
    var hello: Hello? {
        for case .hello(let hello) in sent { return hello }
        return nil
    }

    /// START, journal, shim: the step runs.
    mutating func run(_ id: Int64, job: Int64 = 1) {
        tell(.start(start(id, job: job)))
        feed(.journalled(AttemptID(id)))
        feed(.shimStarted(AttemptID(id)))
    }
}

func start(_ id: Int64, job: Int64 = 1, within: UInt64 = 60_000) -> Start {
    let spec = StepSpec(
        jobAttempt: JobAttemptID(job), title: "p/j/s", action: .run(commands: ["true"], shell: .sh), environment: [:],
        timeoutMs: 1000)
    return Start(attempt: AttemptID(id), spec: spec, startWithinMs: within)
}

func success(total: UInt64 = 0) -> AttemptEnding {
    AttemptEnding(result: .success, cause: .exit, exitCode: 0, total: total, dropped: 0)
}

func recovered(_ condition: RecoveredState.Condition, id: Int64 = 5) -> RecoveredState {
    RecoveredState(
        attempts: [.init(attempt: AttemptID(id), jobAttempt: JobAttemptID(1), condition: condition)],
        highestAttemptSeen: AttemptID(9))
}

let five = AttemptID(5)
let emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
