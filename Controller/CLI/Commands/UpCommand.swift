package import ArgumentParser
import FoundationEssentials
import Glibc

package struct UpCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Run a controller and one local agent on this machine.",
        discussion: """
            Both are separate processes; what they print goes to controller.log and agent.log in the data directory (above 16 MiB \
            the older part goes to controller.log.1 and agent.log.1, which replace those before). The first start \
            makes the administrator `admin` and prints its random password once (or takes ANSFLOW_ADMIN_PASSWORD), and enrols \
            the local agent. It runs until it is interrupted; steps that run then go on and are found again by the next start. \
            Repositories on this machine (file: addresses) are allowed.

            Examples:
              ansflow up --data-dir ~/ansflow --slots 2
              ansflow up --data-dir ~/ansflow --listen 127.0.0.1:9090 --agent-listen 127.0.0.1:9443
              ansflow up --data-dir ~/ansflow --detach
            """)

    @Option(name: .long, help: "Where everything is kept (default: $XDG_DATA_HOME/ansflow).")
    package var dataDir: String?
    @Option(name: .long, help: "Jobs that the local agent runs at the same time; counts when the agent is enrolled.")
    package var slots = 2
    @Option(name: .long, help: "HOST:PORT for users.")
    package var listen = "127.0.0.1:8080"
    @Option(name: .long, help: "HOST:PORT for agents (TLS).")
    package var agentListen = "127.0.0.1:8443"
    @Flag(name: .long, help: "Return when it is ready; `ansflow down` ends it.")
    package var detach = false
    /// The process that `--detach` leaves behind.
    @Flag(name: .long, help: .hidden)
    package var supervised = false

    package init() {}

    package func validate() throws {
        guard ListenAddress(listen) != nil else { throw ValidationError("--listen takes HOST:PORT, not \"\(listen)\"") }
        guard ListenAddress(agentListen) != nil else {
            throw ValidationError("--agent-listen takes HOST:PORT, not \"\(agentListen)\"")
        }
        guard ListenAddress(listen)?.port != ListenAddress(agentListen)?.port else {
            throw ValidationError("--listen and --agent-listen are two listeners: give them two ports")
        }
        if dataDir?.isEmpty == true { throw ValidationError("--data-dir is empty; name a directory") }
        guard (1...256).contains(slots) else { throw ValidationError("--slots takes 1 to 256") }
    }

    package func run() async throws {
        let layout = LocalLayout(root: dataDir ?? Paths.data())
        try FileIO.makeDirectory(layout.root, mode: 0o700)
        if detach { return try runDetached(layout) }
        guard let lock = try DirectoryLock(layout) else { throw Self.held(layout) }
        guard let listen = ListenAddress(listen), let agentListen = ListenAddress(agentListen) else { return }
        try layout.writePID(getpid(), to: layout.pid)
        let ended = try await layout.endLeftovers()
        if ended > 0 { Terminal.note("ended \(ended) part(s) that an earlier `ansflow up` had left") }
        let options = LocalStack.Options(layout: layout, slots: slots, listen: listen, agentListen: agentListen)
        try LocalStack.checkPorts(options)
        var stack = LocalStack(options: options, programs: try Programs.beside(), say: { Terminal.say($0) })
        try await stack.start()
        if supervised { try handOver(layout) }
        try await stack.supervise()
        unlink(layout.pid)
        _ = consume lock
    }

    private static func held(_ layout: LocalLayout) -> ClientFailure {
        let pid = layout.readPID(layout.pid).map { " (process \($0))" } ?? ""
        let url = layout.knownAddress.map { " It answers at \($0)." } ?? ""
        return ClientFailure(
            .refused, "\(layout.root) is in use by another `ansflow up`\(pid).\(url)",
            cure: "Use that one, end it with `ansflow down --data-dir \(layout.root)`, or choose another --data-dir.")
    }

    // MARK: Detaching

    /// The line by which the process left behind says that it is ready; it is not shown.
    private static let readyLine = "ansflow-up-ready"

    /// Tells the waiting parent and lets go of its pipe.
    private func handOver(_ layout: LocalLayout) throws {
        Terminal.print(Self.readyLine)
        let descriptor = open(layout.upLog, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        dup2(descriptor, 1)
        close(descriptor)
    }

    private func runDetached(_ layout: LocalLayout) throws {
        do {
            guard let lock = try DirectoryLock(layout) else { throw Self.held(layout) }
            _ = consume lock
        }
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw ClientFailure(.usage, "A pipe cannot be made: \(FileIO.reason()).") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let errors = open(layout.upLog, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0o600)
        guard errors >= 0 else { throw ClientFailure(.usage, "\(layout.upLog) cannot be written: \(FileIO.reason()).") }
        let child = try Child.start(
            try Programs.beside().own,
            [
                "up", "--data-dir", layout.root, "--slots", String(slots), "--listen", listen, "--agent-listen",
                agentListen, "--supervised",
            ], environment: ProcessInfo.processInfo.environment, output: ends[1], errors: errors, session: true)
        close(ends[1])
        close(errors)
        if try relay(from: ends[0]) { return }
        var status: Int32 = 0
        while waitpid(child.pid, &status, 0) < 0, errno == EINTR {}
        let code = (status & 0x7F) == 0 ? (status >> 8) & 0xFF : ClientFailure.Kind.serverFailed.rawValue
        for line in FileIO.tail(layout.upLog, lines: 15) { Terminal.note(line) }
        throw ExitCode(code == 0 ? ClientFailure.Kind.serverFailed.rawValue : code)
    }

    /// Shows what the child prints. Returns whether it became ready.
    private func relay(from descriptor: Int32) throws -> Bool {
        defer { close(descriptor) }
        var pending: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            pending += buffer[..<count]
            while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: pending[..<end], as: UTF8.self)
                pending.removeFirst(end + 1)
                if line == Self.readyLine { return true }
                Terminal.print(line)
            }
        }
    }
}

package struct DownCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "down",
        abstract: "End what `ansflow up` started on a data directory.",
        discussion: """
            The agent is ended first, then the controller. Steps that run go on and are found again by the next `ansflow up`.

            Examples:
              ansflow down --data-dir ~/ansflow
            """)

    @Option(name: .long, help: "The data directory of `ansflow up` (default: $XDG_DATA_HOME/ansflow).")
    package var dataDir: String?

    package init() {}

    package func validate() throws {
        if dataDir?.isEmpty == true { throw ValidationError("--data-dir is empty; name a directory") }
    }

    package func run() async throws {
        let layout = LocalLayout(root: dataDir ?? Paths.data())
        guard layout.has(layout.root) else {
            throw ClientFailure(
                .notFound, "\(layout.root) does not exist.", cure: "Name the directory with --data-dir.")
        }
        let deadline = ContinuousClock.now + .seconds(90)
        var asked = false
        while true {
            if let lock = try DirectoryLock(layout) {
                let left = try await layout.endLeftovers()
                unlink(layout.pid)
                _ = consume lock
                Terminal.print(asked || left > 0 ? "stopped" : "nothing runs on \(layout.root)")
                return
            }
            if !asked, let pid = layout.readPID(layout.pid), pid > 1 {
                asked = kill(pid, SIGTERM) == 0
            }
            guard ContinuousClock.now < deadline else {
                throw ClientFailure(
                    .serverFailed, "What runs on \(layout.root) did not end in time.",
                    cure: "See \(layout.controllerLog) and \(layout.agentLog).")
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }
}
