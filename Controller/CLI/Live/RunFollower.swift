import FoundationEssentials

/// Follows one run until it has ended: pushes say when to look, and what they bring is shown at once where it fits; whatever does not fit
/// is read over HTTP from the line that is next. So a lost connection neither loses nor repeats a line.
package struct RunFollower {
    private let client: APIClient
    private let id: Int64
    private let printer: FollowPrinter
    private var state: FollowState
    private var run: RunModel?
    /// Since when nothing answers; nil while all is well.
    private var silentSince: ContinuousClock.Instant?

    /// Lines asked for at once.
    private static let page = 1000
    /// Between two looks at a run that changes quickly.
    private static let pause = Duration.milliseconds(150)
    /// How long a controller that is away is waited for.
    package static let patience = Duration.seconds(600)

    package init(client: APIClient, run: Int64, selection: LogSelection, printer: FollowPrinter) {
        self.client = client
        id = run
        self.printer = printer
        state = FollowState(selection: selection)
    }

    /// Returns the run as it ended. Throws what the first look throws; later, only when the controller stays away for
    /// ``patience`` or refuses.
    package mutating func follow() async throws -> RunModel {
        try await look(all: true)
        var delay = Duration.milliseconds(250)
        while true {
            if let run, run.isFinished { return run }
            do {
                try await listen()
                if let run, run.isFinished { return run }
                delay = .milliseconds(250)
            } catch let failure as ClientFailure where failure.kind != .unreachable && failure.kind != .serverFailed {
                throw failure
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                // The connection was lost or refused: look again over HTTP, then connect again.
                try await lost(error)
            }
            try await Task.sleep(for: delay)
            delay = min(delay * 2, .seconds(5))
            do {
                try await look(all: true)
                if silentSince != nil {
                    silentSince = nil
                    Terminal.note("connected again")
                }
            } catch let failure as ClientFailure
                where failure.kind == .unreachable || failure.kind == .serverFailed
            {
                try await lost(failure)
            }
        }
    }

    /// Shows what there is now and returns.
    package mutating func once() async throws {
        try await look(all: true)
    }

    private mutating func lost(_ error: any Error) async throws {
        guard let failure = error as? ClientFailure else { return }
        let now = ContinuousClock.now
        guard let since = silentSince else {
            silentSince = now
            Terminal.note("The connection to the controller is lost; the run goes on. Trying again ...")
            return
        }
        if now - since > Self.patience { throw failure }
    }

    /// Listens to the live topic until the run has ended or the connection breaks.
    private mutating func listen() async throws {
        let socket = LiveSocket(address: try client.endpoint.address(), caFile: client.endpoint.caFile)
        var follower = self
        defer { self = follower }
        let logs = String(decoding: try state.subscription.bytes(), as: UTF8.self)
        let path = "/ws/executions/\(id)/" + APIClient.queryText([("after", String(state.seq)), ("logs", logs)])
        try await socket.run(path: path, token: try await client.freshToken()) {
            try await follower.look(all: true)
            if let run = follower.run, run.isFinished { return .stop }
            return .more
        } handle: { bytes in
            if let run = follower.run, run.isFinished { return .stop }
            guard let message = LiveMessage.parse(bytes) else { return .more }
            try await follower.handle(message)
            if let run = follower.run, run.isFinished { return .stop }
            return .more
        }
    }

    private mutating func handle(_ message: LiveMessage) async throws {
        switch message.type {
        case "log_update":
            guard let content = message.data, let lines = content.lines else { return }
            guard let key = state.key(of: content) else {
                // A step that was not there at the last look.
                if content.attempt != nil { try await look(all: false) }
                return
            }
            switch state.take(lines, of: key) {
            case .lines(let shown): show(shown, of: key)
            case .gap: try await pull(key, over: false)
            }
        case "snapshot", "lagged":
            try await look(all: true)
        case "execution_update", "step_update":
            // One look shows every change up to its number.
            if let seq = message.seq, seq <= state.seq { return }
            try await look(all: false)
            try await Task.sleep(for: Self.pause)
        default: break
        }
    }

    /// Reads the run and shows what is new.
    private mutating func look(all: Bool) async throws {
        let answer = try await client.get("/api/v1/pipeline-runs/\(id)", thing: "Run \(id)")
        let run = try answer.decode(RunModel.self)
        for action in state.look(at: run, all: all) {
            switch action {
            case .show(let output): printer.show(output)
            case .pull(let key, let over): try await pull(key, over: over)
            }
        }
        self.run = run
    }

    private mutating func show(_ lines: [LogLineModel], of key: LogKey) {
        guard !lines.isEmpty else { return }
        if let output = state.begin(key) { printer.show(output) }
        printer.show(lines, of: key)
    }

    /// Reads a log from the next line to its present end; where its attempt is over, to its last line.
    private mutating func pull(_ key: LogKey, over: Bool) async throws {
        let path = "/api/v1/pipeline-runs/\(id)/steps/\(APIClient.escaped(key.place.text))/log"
        var patience = 50
        while true {
            let next = state.cursors[key]?.next ?? 1
            let query = [
                ("format", "json"), ("attempt", String(key.attempt)), ("from_line", String(next)),
                ("lines", String(Self.page)),
            ]
            let page: LogPageModel
            do {
                page = try await client.get(path, query: query, thing: "The log of \(key.place.text)")
                    .decode(LogPageModel.self)
            } catch let failure as ClientFailure where failure.kind == .notFound {
                // The attempt wrote nothing, or nothing yet.
                if over { _ = state.close(key) }
                return
            }
            if case .lines(let shown) = state.take(page.lines, of: key) { show(shown, of: key) }
            let after = state.cursors[key]?.next ?? 1
            if after > next { continue }
            guard over else { return }
            if page.complete == false, patience > 0 {
                // The state came before the log's last bytes: they follow at once.
                patience -= 1
                try await Task.sleep(for: .milliseconds(100))
                continue
            }
            if let last = state.close(key) { show([last], of: key) }
            return
        }
    }
}
