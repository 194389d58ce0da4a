import AgentCore
import AgentExec
import AgentLink
import AnsFlowProtocol
import AnsFlowTransport
import ArgumentParser
import Glibc
import Logging
import NIOCore
import NIOPosix
import UnixSignals

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs the agent until SIGTERM.",
        discussion: """
            Steps that run when the agent is stopped go on, and the next start goes on with them. To stop only after they have ended,
            say `ansflow-agent drain`.

              ansflow-agent run --data-dir /var/lib/ansflow-agent
            """)

    @OptionGroup var data: DataDirectoryOption
    @Option(name: .customLong("shim"), help: ArgumentHelp("The shim's program.", visibility: .hidden)) var shim: String?

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        let log = AgentLog.make()
        do {
            let reason = try await Assembly(directory: data.absolute, shim: shim, log: log).run()
            if reason == .revoked {
                log.error("the controller has revoked this agent; enrol it again with a new token")
                throw ExitCode(3)
            }
        } catch let exit as ExitCode {
            throw exit
        } catch {
            log.error("the agent can't run", metadata: ["error": "\(error)"])
            throw ExitCode(1)
        }
    }
}

/// A whole agent, put together.
struct Assembly {
    var directory: String
    var shim: String?
    var log: Logger

    private enum Event: Sendable {
        case signal
        case exit(AgentExitReason?)
        case dialled(AgentDialer.Outcome)
    }

    /// Runs until a signal, a drain or a revocation.
    ///
    /// - Returns: Why it ended; `nil` for a signal.
    func run() async throws -> AgentExitReason? {
        guard let identity = try LinkIdentity.load(directory) else {
            throw LinkFailure.files("\(directory) is not enrolled. Run `ansflow-agent enrol` first.")
        }
        let data = try DataDirectory(AgentPaths(root: directory))
        let containment = ContainmentProbe.run(storeID: data.storeID)
        let kind: Hello.Containment = containment.parent == nil ? .bestEffort : .cgroup2
        log.notice(
            "containment: \(containment.parent == nil ? "best effort" : "cgroup v2")",
            metadata: ["why": "\(containment.explanation)"])
        let profile = AgentProfile(
            version: AgentVersion.text, processNonce: HostFacts.randomName(bytes: 16), bootID: try HostFacts.bootID(),
            storeID: data.storeID, containment: kind, slots: identity.settings.slots,
            labels: Labels.complete(identity.settings.labels, name: identity.settings.name))
        let spawner = try ShimSpawner(program: shim, paths: data.paths, cgroupParent: containment.parent)
        let pool = NIOThreadPool(numberOfThreads: 2)
        pool.start()
        let runtime = try AgentRuntime(
            AgentRuntime.Settings(
                profile: profile, agentName: identity.settings.name,
                agentProgram: HostFacts.ownProgram() ?? "/usr/bin/ansflow-agent", spawner: spawner),
            directory: data, loop: MultiThreadedEventLoopGroup.singleton.next(), pool: pool, log: log)
        return try await serve(runtime, identity.settings.controller)
    }

    private func serve(_ runtime: AgentRuntime, _ controller: String) async throws -> AgentExitReason? {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        try await runtime.begin()
        let control = try await runtime.serveControl()
        log.notice("the agent runs", metadata: ["controller": "\(controller)"])
        let reason = try await withThrowingTaskGroup(of: Event.self) { group in
            group.addTask {
                for await _ in signals { return .signal }
                return .signal
            }
            group.addTask { .exit(try? await runtime.exit()) }
            group.addTask { .dialled(try await dial(runtime)) }
            defer { group.cancelAll() }
            while let event = try await group.next() {
                switch event {
                case .signal:
                    // Before the group ends: what waits for the agent's own reasons to leave ends by it.
                    await runtime.close()
                    return AgentExitReason?.none
                case .exit(let reason):
                    await runtime.close()
                    return reason
                case .dialled(.revoked(let why)):
                    log.error("revoked", metadata: ["reason": "\(why)"])
                    await runtime.revoked()
                case .dialled(.left): break
                }
            }
            return nil
        }
        try? await control.close().get()
        return reason
    }

    private func dial(_ runtime: AgentRuntime) async throws -> AgentDialer.Outcome {
        let dialer = AgentDialer(directory: directory, observe: observe)
        return try await dialer.run { link, connection in
            await runtime.opened(link, LinkWire(connection))
            while let message = try? await connection.receive() { await runtime.received(link, message) }
            connection.close(code: CloseCode.goingAway.rawValue, reason: "")
            let end = await connection.closed()
            await runtime.closed(link, code: end.source == .peer ? CloseCode(rawValue: end.code) : nil)
            return Task.isCancelled ? .leave : .redial
        }
    }

    private func observe(_ event: AgentDialer.Event) {
        switch event {
        case .connected(let link): log.notice("connected", metadata: ["link": "\(link)"])
        case .ended(let link, let end): log.notice("disconnected", metadata: ["link": "\(link)", "reason": "\(end)"])
        case .failed(let failure, let wait):
            log.warning("can't connect", metadata: ["error": "\(failure)", "retry_in": "\(wait)"])
        case .renewed: log.info("certificate renewed")
        case .renewalFailed(let failure): log.warning("certificate not renewed", metadata: ["error": "\(failure)"])
        }
    }
}

/// A transport connection as the runtime sees it.
struct LinkWire: AgentWire {
    private let connection: MessageConnection

    init(_ connection: MessageConnection) { self.connection = connection }

    var backlogBytes: Int { connection.waitingBytes.outbound }

    func trySend(_ message: [UInt8]) -> Bool { connection.trySend(message) == .sent }

    func send(_ message: [UInt8]) async throws { try await connection.send(message) }

    func close(_ code: CloseCode) { connection.close(code: code.rawValue, reason: "") }
}
