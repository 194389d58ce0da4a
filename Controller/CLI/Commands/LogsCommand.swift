package import ArgumentParser

package struct LogsCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Print the logs of a run or of one of its steps, finished or live.",
        discussion: """
            A step is named by JOB/STEP, by its name where that is enough, or by its id. With --follow, new lines are printed as they \
            come until the run (or that step) has ended; after a lost connection it goes on at the next line. With --json, each line \
            is an object: step, attempt, n, t_ms, text.

            Examples:
              ansflow logs 7
              ansflow logs 7 build/test --follow
              ansflow logs 7 build/test --from-line 200
              ansflow logs 7 build/test --tail 50 --attempt 1
              ansflow logs 7 build/test --raw > test.log
            """)

    @OptionGroup package var connection: ConnectionOptions
    @Argument(help: "Number of the run.")
    package var run: Int64
    @Argument(help: "The step: JOB/STEP, its name or its id (default: all steps).")
    package var step: String?
    @Flag(name: [.long, .customShort("F")], help: "Go on until the run has ended.")
    package var follow = false
    @Option(name: .long, help: "First line to print, from 1.")
    package var fromLine: Int64 = 1
    @Option(name: .long, help: "Print the last lines only; needs a step.")
    package var tail: Int?
    @Option(name: .long, help: "Which attempt of the step, from 1 (default: all, in order).")
    package var attempt: Int?
    @Flag(
        name: .long,
        help: "Print the stored bytes as they are; needs a step (its newest attempt unless --attempt is given).")
    package var raw = false

    package init() {}

    package func validate() throws {
        guard fromLine >= 1 else { throw ValidationError("--from-line counts from 1") }
        if let attempt, attempt < 1 { throw ValidationError("--attempt counts from 1") }
        if let tail {
            guard tail >= 1 else { throw ValidationError("--tail takes a number from 1") }
            guard step != nil else { throw ValidationError("--tail needs a step: ansflow logs RUN JOB/STEP --tail N") }
            guard fromLine == 1 else { throw ValidationError("--tail and --from-line exclude each other") }
        }
        if raw {
            guard step != nil else { throw ValidationError("--raw needs a step: ansflow logs RUN JOB/STEP --raw") }
            guard !follow, tail == nil, fromLine == 1, !connection.json else {
                throw ValidationError("--raw prints the whole log: it goes with --attempt only")
            }
        }
    }

    package func run() async throws {
        try await connection.withClient { client in
            var selection = LogSelection(step: step, attempt: attempt, fromLine: fromLine)
            var isWaiting = false
            if step != nil {
                let (place, newest) = try await find(client)
                isWaiting = newest == 0
                selection.step = place.text
                // A tail counts from the end of one attempt, so only that one is shown.
                if raw || tail != nil { selection.attempt = attempt ?? max(1, newest) }
                let number = selection.attempt ?? newest
                if raw { return try await printRaw(place, attempt: number, client) }
                if let tail { selection.fromLine = try await firstLine(ofTail: tail, place, attempt: number, client) }
            }
            if !follow, let place = selection.step, isWaiting {
                Terminal.note("\(place) has not started yet; --follow waits for it.")
            }
            let mode: FollowPrinter.Mode = connection.json ? .json : .logs(prefix: step == nil)
            var follower = RunFollower(
                client: client, run: run, selection: selection, printer: FollowPrinter(mode: mode))
            if follow {
                if Terminal.isTerminal { Following.noteInterrupt() }
                _ = try await follower.follow()
            } else {
                try await follower.once()
            }
        }
    }

    /// The step that is meant, and its newest attempt.
    private func find(_ client: APIClient) async throws -> (StepPlace, Int) {
        let found = try await client.get("/api/v1/pipeline-runs/\(run)", thing: "Run \(run)").decode(RunModel.self)
        let selection = LogSelection(step: step)
        var places: [StepPlace] = []
        var matches: [(StepPlace, Int)] = []
        for job in found.jobs ?? [] {
            for step in job.steps ?? [] {
                let place = StepPlace(job: job.name, step: step.name)
                places.append(place)
                if selection.includes(place, id: step.id) { matches.append((place, step.attempt ?? 0)) }
            }
        }
        let exact = matches.filter { $0.0.text == step }
        if exact.count == 1 { return exact[0] }
        if matches.count == 1 { return matches[0] }
        let names = (matches.isEmpty ? places : matches.map(\.0)).prefix(40).map(\.text).joined(separator: ", ")
        throw ClientFailure(
            .notFound,
            matches.isEmpty
                ? "Run \(run) has no step \"\(step ?? "")\"." : "Run \(run) has several steps \"\(step ?? "")\".",
            cure: names.isEmpty ? "" : "Name one of: \(names)")
    }

    private func path(_ place: StepPlace) -> String {
        "/api/v1/pipeline-runs/\(run)/steps/\(APIClient.escaped(place.text))/log"
    }

    private func printRaw(_ place: StepPlace, attempt: Int, _ client: APIClient) async throws {
        guard attempt > 0 else { return }
        let answer = try await client.get(
            path(place), query: [("format", "raw"), ("attempt", String(attempt))], thing: "The log of \(place.text)")
        Terminal.writeRaw(answer.body)
    }

    private func firstLine(ofTail count: Int, _ place: StepPlace, attempt: Int, _ client: APIClient) async throws
        -> Int64
    {
        guard attempt > 0 else { return 1 }
        do {
            let page = try await client.get(
                path(place), query: [("format", "json"), ("attempt", String(attempt)), ("tail", String(count))],
                thing: "The log of \(place.text)"
            ).decode(LogPageModel.self)
            return page.lines.first?.n ?? 1
        } catch let failure as ClientFailure where failure.kind == .notFound {
            return 1
        }
    }
}
