package import ArgumentParser
import ControllerCore
import ControllerPipelines
import FoundationEssentials
import Glibc

package struct ExecCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "exec",
        abstract: "Run a pipeline on this machine, without a controller.",
        discussion: """
            The same compiler, engine and supervisor of steps as in a controller and its agents, in one process; nothing is kept but \
            artifacts. In a git checkout each job begins with a copy of the working tree as it is now: files that git tracks and new \
            ones, without what git ignores. With --in-place the steps run in the working tree itself. Outside of a git checkout they \
            begin in an empty directory.

            Every job runs here, whatever agent it asks for; one that asks for another os or arch is refused. Concurrency groups are \
            not observed. About a job that wants approval you are asked before anything runs; without a terminal, say --approve.

            An interrupt stops the steps (TERM, their grace time, KILL) and runs `finally`; a second one kills at once. If this \
            process dies, so do its steps.

            Exit codes: 0 success or warning; 1 the run did not succeed, or the pipeline has errors; 2 wrong use; 130 interrupted.

            Examples:
              ansflow exec
              ansflow exec .ansflow.yml --job test --input level=debug
              ansflow exec --list
              ansflow exec --cell arch=amd64 --slots 4
              API_KEY=... ansflow exec --job deploy --secret API_KEY --approve deploy
            """)

    @Argument(help: "The definition.", completion: .file(extensions: ["yml", "yaml"]))
    package var file = ".ansflow.yml"
    @Option(
        name: [.long, .customShort("i")],
        help: "A value for one of the pipeline's inputs, as NAME=VALUE. May be repeated.")
    package var input: [String] = []
    @Option(name: .long, help: "Only this job and what it needs. May be repeated.")
    package var job: [String] = []
    @Option(name: .long, help: "Only this job, without what it needs. May be repeated.")
    package var only: [String] = []
    @Option(name: .long, help: "Of the job that has this step, only this step. May be repeated.")
    package var step: [String] = []
    @Option(name: .long, help: "Only cells of a matrix with this value, as AXIS=VALUE. May be repeated.")
    package var cell: [String] = []
    @Flag(name: .long, help: "Show jobs, steps and what they need; run nothing.")
    package var list = false
    @Option(
        name: [.customShort("C"), .long], help: "Work in this directory instead of the current one.",
        completion: .directory)
    package var directory: String?
    @Flag(name: .customLong("in-place"), help: "Run in the working tree itself instead of in copies of it.")
    package var inPlace = false
    @Option(name: .long, help: "Jobs that run side by side (default: as many as cores, at most 4; 1 with --in-place).")
    package var slots: Int?
    @Option(name: .long, help: "Steps of a job that run side by side, at most (default: what the file says).")
    package var parallel: Int?
    @Option(name: .long, help: "A secret, whose value is in the environment variable of that name. May be repeated.")
    package var secret: [String] = []
    @Option(name: .long, help: "A file with secrets, as lines of NAME=VALUE.", completion: .file())
    package var secrets: String?
    @Option(name: .long, help: "Say yes to this job's approval. May be repeated.")
    package var approve: [String] = []
    @Option(
        name: .customLong("approve-input"), help: "A value that an approval asks for, as NAME=VALUE. May be repeated.")
    package var approveInput: [String] = []
    @Option(name: .long, help: "The event that conditions see.")
    package var event = "manual"
    @Option(name: .long, help: "The tag that conditions see.")
    package var tag: String?
    @Option(
        name: .customLong("changed-since"),
        help: "What changed since this commit counts as changed (default: everything does).")
    package var changedSince: String?
    @Option(name: .long, help: "Where artifacts are kept.", completion: .directory)
    package var artifacts = ".ansflow/artifacts"
    @Flag(name: .customLong("any-machine"), help: "Also run jobs that ask for another os or arch.")
    package var anyMachine = false
    @Flag(name: .long, help: "Keep the workspaces, and say where they are.")
    package var keep = false
    @Flag(name: .long, help: "Print the run as JSON when it has ended, and no log.")
    package var json = false

    package init() {}

    package func validate() throws {
        for text in input where !text.contains("=") || text.hasPrefix("=") {
            throw ValidationError("--input takes NAME=VALUE, not \"\(text)\"")
        }
        for text in approveInput where !text.contains("=") || text.hasPrefix("=") {
            throw ValidationError("--approve-input takes NAME=VALUE, not \"\(text)\"")
        }
        for text in cell where !text.contains("=") || text.hasPrefix("=") {
            throw ValidationError("--cell takes AXIS=VALUE, not \"\(text)\"")
        }
        if let slots, !(1...64).contains(slots) { throw ValidationError("--slots takes 1 to 64") }
        if let parallel, !(1...64).contains(parallel) { throw ValidationError("--parallel takes 1 to 64") }
    }

    package func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        if let directory, chdir(directory) != 0 {
            throw ClientFailure(.notFound, "\(directory) cannot be entered: \(FileIO.reason()).")
        }
        let checkout = LocalCheckout.current()
        let compiled = try compile(checkout)
        let selected = try selection.apply(to: compiled)
        if list { return Terminal.print(PlanText.text(selected)) }
        var local = try LocalPlan(
            selected, labels: LocalMachine.labels, anyMachine: anyMachine, approved: Set(approve),
            given: Self.values(approveInput))
        try askForApprovals(&local)
        let values = try LocalSecrets(
            names: secret, environment: ProcessInfo.processInfo.environment, file: secrets)
        try values.check(local.secrets)
        if !json { for note in local.notes { Terminal.note("note: \(note)") } }
        try await execute(local, values, checkout)
    }

    /// `NAME=VALUE` as inputs.
    private static func values(_ texts: [String]) -> [String: InputValue] {
        var values: [String: InputValue] = [:]
        for text in texts {
            let pair = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            values[String(pair[0])] = .text(String(pair[1]))
        }
        return values
    }

    /// Asks about each job that waits for approval, before anything runs: then nobody has to stay for it.
    private func askForApprovals(_ local: inout LocalPlan) throws {
        let waiting = local.unanswered
        guard !waiting.isEmpty else { return }
        guard isatty(0) == 1, isatty(2) == 1 else {
            let names = waiting.map(\.id)
            throw ClientFailure(
                .refused, "Somebody must approve \(names.joined(separator: ", ")), and there is no terminal to ask on.",
                cure:
                    "Say yes with \(names.map { "--approve '\($0)'" }.joined(separator: " ")), or choose other jobs with --job."
            )
        }
        for job in waiting {
            let message = job.approval?.message.map { ": \(SafeText.line($0, colours: false))" } ?? ""
            Terminal.note("The job \(job.id) wants approval\(message). Approve it? [y/N]")
            let answer = readLine() ?? ""
            guard ["y", "yes"].contains(answer.lowercased()) else {
                try local.decline(job.id)
                continue
            }
            var values: [String: InputValue] = [:]
            for input in local.questions(of: job.id) {
                let kind = input.options.isEmpty ? input.kind.rawValue : input.options.joined(separator: ", ")
                let standard = input.defaultValue.map { " [\($0.variable)]" } ?? ""
                Terminal.note("\(SafeText.line("\(input.name) (\(kind))\(standard)", colours: false)):")
                if let line = readLine(), !line.isEmpty { values[input.name] = .text(line) }
            }
            try local.approve(job.id, values)
        }
    }

    private var selection: ExecSelection {
        var selection = ExecSelection()
        selection.jobs = job
        selection.only = only
        selection.steps = step
        selection.parallel = parallel
        selection.cells = cell.map { text in
            let pair = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(pair[0]), String(pair[1]))
        }
        return selection
    }

    /// - Throws: exit code 1 where the file has errors, which are shown.
    private func compile(_ checkout: LocalCheckout?) throws -> RunPlan {
        let source = try FileIO.read(file, limit: PlanLimits.sourceBytesMax + 1)
        let context = CompileContext(
            pipelineName: checkout.map { Self.lastPart(of: $0.root) } ?? "pipeline", event: event,
            ref: tag.map { "refs/tags/\($0)" } ?? checkout?.branch.map { "refs/heads/\($0)" }, branch: checkout?.branch,
            tag: tag, commit: checkout?.commit, repository: checkout == nil && !inPlace ? nil : "file:///worktree",
            inputs: Self.values(input), allowLocalRepositories: true, changedPaths: try changedPaths(checkout))
        let outcome = PipelineCompiler.compile(
            source, file: file, includes: try included(by: source, checkout), context: context)
        for diagnostic in outcome.diagnostics { Terminal.note(diagnostic.description) }
        guard let plan = outcome.plan else { throw ExitCode(ClientFailure.Kind.negative.rawValue) }
        return plan
    }

    private func changedPaths(_ checkout: LocalCheckout?) throws -> [String]? {
        guard let changedSince else { return nil }
        guard let checkout else {
            throw ClientFailure(.usage, "--changed-since needs a git checkout, and this directory is in none.")
        }
        return try checkout.paths(changedSince: changedSince)
    }

    /// Texts of the files that the definition includes, by their path from the top of the working tree.
    private func included(by source: [UInt8], _ checkout: LocalCheckout?) throws -> [String: String] {
        let top = checkout?.root ?? "."
        do {
            var walk = try IncludeWalk(
                file: Self.lastPart(of: file),
                includes: PipelineCompiler.includes(of: String(decoding: source, as: UTF8.self)))
            while let path = walk.wanted {
                let bytes = try FileIO.read("\(top)/\(path)", limit: PlanLimits.sourceBytesMax)
                let text = String(decoding: bytes, as: UTF8.self)
                try walk.add(text, includes: PipelineCompiler.includes(of: text))
            }
            return walk.texts
        } catch let refusal as IncludeWalk.Refusal {
            throw ClientFailure(.refused, "\(refusal.file): \(refusal.description)")
        }
    }

    private static func lastPart(of path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? "pipeline"
    }

    private func execute(_ local: LocalPlan, _ values: LocalSecrets, _ checkout: LocalCheckout?) async throws {
        let here = FileManager.default.currentDirectoryPath
        let tree = checkout?.root ?? (inPlace ? here : nil)
        let directory = try ExecDirectory.make(
            ExecDirectory.Settings(
                source: tree, inPlace: inPlace, artifacts: artifacts.hasPrefix("/") ? artifacts : "\(here)/\(artifacts)"
            ))
        let options = LocalRun.Options(
            slots: slots ?? (inPlace ? 1 : min(4, LocalMachine.cores)), keepsWorkspaces: keep,
            inPlace: inPlace ? tree : nil, mode: json ? .quiet : .run, actor: LocalMachine.user,
            answers: local.answers)
        let signals = LocalSignals()
        let run = try await LocalRun(
            local.plan, secrets: values, directory: directory, options: options, signals: signals)
        let end = try await run.run()
        run.clean()
        if json {
            Terminal.print(String(decoding: try RunJSONText.value(end.run).bytes(), as: UTF8.self))
        } else {
            Terminal.print(RunText().localSummary(end.run))
        }
        if keep { Terminal.note("The workspaces are in \(directory.path)/work. Remove them when you are done.") }
        if let signal = end.signal { throw ExitCode(128 + signal) }
        try Following.check(end.run)
    }
}
