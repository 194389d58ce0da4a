import Dispatch
import FoundationEssentials
import Glibc

/// Controller and one agent on this machine, as separate processes: what `ansflow up` runs.
package struct LocalStack {
    package struct Options: Equatable, Sendable {
        package var layout: LocalLayout
        package var slots: Int
        package var listen: ListenAddress
        package var agentListen: ListenAddress

        package init(layout: LocalLayout, slots: Int, listen: ListenAddress, agentListen: ListenAddress) {
            self.layout = layout
            self.slots = slots
            self.listen = listen
            self.agentListen = agentListen
        }
    }

    private let options: Options
    private let programs: Programs
    private let say: (String) -> Void
    private var controller: Child?
    private var agent: Child?
    /// The agent is not started before.
    private var agentDue = ContinuousClock.now - .seconds(3600)
    private var isRevoked = false
    private var url: String { "http://\(options.listen.reachable.text)" }
    private var agentURL: String { "https://\(options.agentListen.reachable.text)" }
    private var layout: LocalLayout { options.layout }

    private static let readyLimit = Duration.seconds(60)
    private static let endLimit = Duration.seconds(30)
    private static let connectLimit = Duration.seconds(30)
    /// Between two starts of an agent that is drained.
    private static let drainedPause = Duration.seconds(5)
    /// With it `ansflow-agent run` says that the controller has revoked it.
    private static let revokedCode: Int32 = 3
    private static let agentName = "local"

    /// - Parameter say: takes each line for the user
    package init(options: Options, programs: Programs, say: @escaping (String) -> Void) {
        self.options = options
        self.programs = programs
        self.say = say
    }

    /// Throws where a port is taken, before anything is started.
    package static func checkPorts(_ options: Options) throws {
        try options.listen.checkFree(option: "--listen")
        try options.agentListen.checkFree(option: "--agent-listen")
    }

    /// Starts both parts and waits until they are ready; on an error, ends what it had started.
    package mutating func start() async throws {
        do {
            let environment = ProcessInfo.processInfo.environment
            let given = environment["ANSFLOW_ADMIN_PASSWORD"].flatMap { $0.isEmpty ? nil : $0 }
            let first = !layout.has(layout.administratorMark)
            let kept = given == nil ? try keptPassword(first: first) : nil
            let password = given ?? kept
            try startController(password: first ? password : nil)
            try await awaitController()
            try await enrol(password: password, tell: kept != nil)
            unlink(layout.pendingPassword)
            try followPort()
            try startAgent()
            try await awaitAgent()
            try FileIO.write(Array((url + "\n").utf8), to: layout.address, mode: 0o600)
        } catch {
            await end()
            throw error
        }
        say("AnsFlow is ready at \(url)")
        say("  data and logs: \(layout.root)")
        say("  log in:        ansflow login --url \(url) --username admin")
        say("  stop:          ansflow down --data-dir \(layout.root)")
    }

    /// Ends what runs: the agent first, so that it can say good-bye. Steps go on in their shims.
    package mutating func end() async {
        if let agent {
            await agent.end(within: Self.endLimit)
            unlink(layout.agentPID)
        }
        agent = nil
        if let controller {
            await controller.end(within: Self.endLimit)
            unlink(layout.controllerPID)
        }
        controller = nil
        unlink(layout.address)
    }

    /// Keeps both parts running until SIGINT or SIGTERM: one that ends is started again, later each time. An agent that left because it
    /// was drained or revoked ended well: neither is a reason to give up.
    package mutating func supervise() async throws {
        let signals = SignalStream([SIGINT, SIGTERM, SIGHUP, SIGCHLD])
        let logs = [layout.controllerLog, layout.agentLog]
        let keeper = Task {
            while (try? await Task.sleep(for: .seconds(10))) != nil {
                for log in logs { LogRotation.rotate(log, isOpen: true) }
            }
        }
        defer {
            keeper.cancel()
            signals.cancel()
        }
        var restarts: [ContinuousClock.Instant] = []
        for await _ in signals.events {
            if signals.stopAsked { break }
            restarts.removeAll { ContinuousClock.now - $0 > .seconds(60) }
            let dead = collectDead()
            if !dead.isEmpty {
                restarts.append(ContinuousClock.now)
                Terminal.note(dead.map { "\($0) and is started again" }.joined(separator: "; "))
                if restarts.count > 5 {
                    await end()
                    throw ClientFailure(
                        .serverFailed, "A part of AnsFlow ended again and again: \(dead.joined(separator: "; ")).",
                        cure: "See \(layout.controllerLog) and \(layout.agentLog).")
                }
                try await Task.sleep(for: .milliseconds(500 * restarts.count))
                if signals.stopAsked { break }
            }
            if controller == nil { try startController(password: nil) }
            if agent == nil, !isRevoked {
                let pause = agentDue - ContinuousClock.now
                if pause > .zero { signals.wake(after: pause) } else { try startAgent() }
            }
        }
        await end()
    }

    /// What failed.
    private mutating func collectDead() -> [String] {
        var dead: [String] = []
        if let how = controller?.ended() {
            dead.append("the controller ended (\(how))")
            controller = nil
        }
        if let how = agent?.ended() {
            agent = nil
            if !left(how) { dead.append("the agent ended (\(how))") }
        }
        return dead
    }

    /// Whether the agent's end is one that was asked for.
    private mutating func left(_ how: Child.Ending) -> Bool {
        switch how {
        case .exited(0):
            let now = ContinuousClock.now
            // It is drained until somebody says otherwise: say so once, not each time that it asks.
            if now - agentDue > .seconds(60) {
                Terminal.note(
                    "the local agent was drained and left; it takes jobs again after `ansflow agent resume local`")
            }
            agentDue = now + Self.drainedPause
        case .exited(Self.revokedCode):
            isRevoked = true
            Terminal.note(
                "the controller has revoked the local agent; for a new one, log in, stop with `ansflow down`, remove "
                    + "\(layout.agent) and start again")
        default: return false
        }
        return true
    }

    // MARK: Parts

    private mutating func startController(password: String?) throws {
        var environment = Self.childEnvironment()
        environment["ANSFLOW_ADMIN_PASSWORD"] = password
        let arguments = [
            "serve", "--data-dir", layout.controller, "--listen", options.listen.text, "--agent-listen",
            options.agentListen.text, "--allow-local-repositories",
        ]
        let child = try Self.spawn(programs.controller, arguments, environment, log: layout.controllerLog)
        controller = child
        try layout.writePID(child.pid, to: layout.controllerPID)
    }

    private mutating func startAgent() throws {
        let arguments = ["run", "--data-dir", layout.agent]
        let child = try Self.spawn(programs.agent, arguments, Self.childEnvironment(), log: layout.agentLog)
        agent = child
        try layout.writePID(child.pid, to: layout.agentPID)
    }

    /// The password of a first start: a new one, or that of an earlier one which was cut off.
    private func keptPassword(first: Bool) throws -> String? {
        if let kept = FileIO.tail(layout.pendingPassword, lines: 1).first { return kept }
        guard first else { return nil }
        let made = Self.randomPassword()
        try FileIO.write(Array((made + "\n").utf8), to: layout.pendingPassword, mode: 0o600)
        return made
    }

    /// Waits until the controller says that it is ready.
    private mutating func awaitController() async throws {
        let client = try APIClient(endpoint: Endpoint(url: url, token: "", caFile: nil))
        let deadline = ContinuousClock.now + Self.readyLimit
        var last = ""
        while ContinuousClock.now < deadline {
            if let how = controller?.ended() {
                controller = nil
                await client.shutdown()
                throw failed("The controller ended while it started (\(how)).", log: layout.controllerLog)
            }
            do {
                let (status, _) = try await client.exchange("GET", "/health/ready")
                if status == 200 {
                    await client.shutdown()
                    return
                }
                last = " (GET /health/ready answered \(status))"
            } catch {
                last = ""
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        await client.shutdown()
        throw failed("The controller was not ready in time\(last).", log: layout.controllerLog)
    }

    /// Lets the agent dial where the controller listens now: --agent-listen may have changed since it was enrolled.
    private func followPort() throws {
        struct Link: Decodable { var controller: String }
        let file = layout.enrolledMark
        let text = FileIO.tail(file, lines: 1000).joined(separator: "\n")
        guard let link = try? JSON.decode(Link.self, from: Array(text.utf8)), link.controller != agentURL else {
            return
        }
        let changed = text.replacing("\"\(link.controller)\"", with: "\"\(agentURL)\"")
        try FileIO.write(Array(changed.utf8), to: file + ".new", mode: 0o644)
        guard rename(file + ".new", file) == 0 else {
            throw ClientFailure(.usage, "\(file) cannot be written: \(FileIO.reason()).")
        }
    }

    /// Waits until the agent is connected. One that is not in time is only said: it goes on trying.
    private mutating func awaitAgent() async throws {
        let deadline = ContinuousClock.now + Self.connectLimit
        while ContinuousClock.now < deadline {
            if let how = agent?.ended() {
                agent = nil
                if left(how) { return }
                throw failed("The local agent ended while it started (\(how)).", log: layout.agentLog)
            }
            if try await isAgentConnected() { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        say("note: the local agent is not connected yet; \(layout.agentLog) says why")
    }

    private func isAgentConnected() async throws -> Bool {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return true }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let null = open("/dev/null", O_WRONLY | O_CLOEXEC)
        defer {
            close(ends[0])
            if null >= 0 { close(null) }
        }
        let child: Child
        do {
            defer { close(ends[1]) }
            child = try Child.start(
                programs.agent, ["status", "--data-dir", layout.agent, "--json"], environment: Self.childEnvironment(),
                output: ends[1], errors: null >= 0 ? null : ends[1])
        }
        // The answer is short, far below what a pipe holds.
        _ = try await child.wait()
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = read(ends[0], &buffer, buffer.count)
        guard count > 0 else { return false }
        struct Status: Decodable { var connected: Bool? }
        return (try? JSON.decode(Status.self, from: Array(buffer[..<count])))?.connected == true
    }

    /// On the first start: shows the administrator's password and enrols the local agent.
    private func enrol(password: String?, tell: Bool) async throws {
        guard !layout.has(layout.administratorMark) || !layout.has(layout.enrolledMark) else { return }
        // The administrator's session is for this start only: it has a directory of its own, which goes away again.
        let temporary = CredentialStore(directory: layout.root + "/enrolling")
        defer { try? FileManager.default.removeItem(atPath: temporary.directory) }
        let client: APIClient
        if password != nil {
            client = try APIClient(endpoint: Endpoint(url: url, token: nil, caFile: nil), store: temporary)
        } else {
            let token = ProcessInfo.processInfo.environment["ANSFLOW_TOKEN"].flatMap { $0.isEmpty ? nil : $0 }
            client = try APIClient(endpoint: Endpoint(url: url, token: token, caFile: nil))
        }
        do {
            if let password {
                try await login(client, password)
                if tell { say("administrator: admin  password: \(password)") }
                if !layout.has(layout.administratorMark) { try layout.mark(layout.administratorMark) }
            }
            if !layout.has(layout.enrolledMark) { try await enrolAgent(client) }
            if password != nil { _ = try await client.logout() }
        } catch let failure as ClientFailure where failure.kind == .notAllowed && password == nil {
            await client.shutdown()
            throw ClientFailure(
                .notAllowed, "The local agent is not enrolled yet, and nobody is logged in at \(url).",
                cure: "Start again with ANSFLOW_ADMIN_PASSWORD set to the password of `admin`.")
        } catch {
            await client.shutdown()
            throw error
        }
        await client.shutdown()
    }

    private func login(_ client: APIClient, _ password: String) async throws {
        do {
            try await client.login(username: "admin", password: password)
        } catch let failure as ClientFailure where failure.kind == .notAllowed {
            throw ClientFailure(
                .refused, "\(layout.controller) has an administrator already, with another password.",
                cure: "Start again with ANSFLOW_ADMIN_PASSWORD set to it, so that the local agent can be enrolled.")
        }
    }

    private func enrolAgent(_ client: APIClient) async throws {
        // An enrolment that was cut off may have left the name at the controller: then it gets the new key.
        let known = try await client.get("/api/v1/agents").decode(Listing<AgentModel>.self).items
        let old = known.first { $0.name == Self.agentName && $0.revoked != true }
        let body = old.map { ["agent_id": JSONValue.int($0.id)] } ?? [:]
        let token = try await client.post("/api/v1/agents/enrolment-tokens", .object(body)).decode(EnrolmentModel.self)
            .token
        let child = try Self.spawn(
            programs.agent,
            [
                "enrol", "--controller", agentURL, "--token", token,
                "--data-dir",
                layout.agent, "--name", Self.agentName, "--slots", String(options.slots),
            ], Self.childEnvironment(), log: layout.agentLog)
        guard try await child.wait() else {
            throw failed("The local agent could not be enrolled.", log: layout.agentLog)
        }
    }

    private func failed(_ text: String, log: String) -> ClientFailure {
        ClientFailure(
            .serverFailed, text, cure: "The whole log is \(log).", details: FileIO.tail(log, lines: 10))
    }

    // MARK: Helpers

    private static func spawn(_ program: String, _ arguments: [String], _ environment: [String: String], log: String)
        throws
        -> Child
    {
        LogRotation.rotate(log, isOpen: false)
        let descriptor = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw ClientFailure(.usage, "\(log) cannot be written: \(FileIO.reason()).")
        }
        defer { close(descriptor) }
        return try Child.start(program, arguments, environment: environment, output: descriptor)
    }

    /// What the parts inherit: not the client's token, and not the password, which only the first controller gets.
    private static func childEnvironment() -> [String: String] {
        var environment = ProcessInfo.processInfo.environment
        environment["ANSFLOW_TOKEN"] = nil
        environment["ANSFLOW_ADMIN_PASSWORD"] = nil
        return environment
    }

    /// 20 characters of 57: about 116 bits. Letters and digits that look alike are left out.
    package static func randomPassword() -> String {
        let alphabet = Array("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789")
        var generator = SystemRandomNumberGenerator()
        return String((0..<20).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] })
    }
}
