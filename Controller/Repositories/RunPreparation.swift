package import ControllerCore
package import Logging

/// Makes run requests from pipelines, whose definitions are stored or lie in their repositories.
package struct RunPreparation: RunPreparing {
    let compiler: any PipelineReading & DefinitionReading
    let repositories: any RepositoryReading
    private let credentials: any GitCredentialReading
    private let pipelines: any PipelineRepository
    let configuration: Configuration
    private let logger: Logger

    package struct Configuration: Sendable {
        package var allowLocal: Bool
        /// For everything that is read from the repository for one run, tries included.
        package var limit: Duration = .seconds(25)
        /// For the commit of a stored definition, without which its run can be made as well.
        package var commitLimit: Duration = .seconds(10)
        /// Between two tries of what may succeed a little later; one for each further try.
        package var pauses: [Duration] = [.milliseconds(500), .seconds(2)]
        /// Milliseconds since 1970.
        package var now: @Sendable () -> Int64
        package var zoneExists: @Sendable (String) -> Bool
        /// The variables of a project.
        package var variables: @Sendable (ProjectID) async throws -> [String: String]

        package init(
            allowLocal: Bool, now: @escaping @Sendable () -> Int64,
            zoneExists: @escaping @Sendable (String) -> Bool = { _ in true },
            variables: @escaping @Sendable (ProjectID) async throws -> [String: String] = { _ in [:] }
        ) {
            self.allowLocal = allowLocal
            self.now = now
            self.zoneExists = zoneExists
            self.variables = variables
        }
    }

    /// The name of a definition in a repository that says no other.
    package static let pathDefault = ".ansflow.yml"

    package init(
        compiler: any PipelineReading & DefinitionReading, repositories: any RepositoryReading,
        credentials: any GitCredentialReading, pipelines: any PipelineRepository, configuration: Configuration,
        logger: Logger = Logger(label: "ansflow.definitions")
    ) {
        self.compiler = compiler
        self.repositories = repositories
        self.credentials = credentials
        self.pipelines = pipelines
        self.configuration = configuration
        self.logger = logger
    }

    /// A definition with everything that it includes, at one commit.
    private struct Files: Sendable {
        var commit: ResolvedCommit?
        var text: String
        var included: [String: String]

        /// Whether a condition may call `changed`. Only then is git asked what changed.
        var mayAskForChanges: Bool { text.contains("changed") || included.values.contains { $0.contains("changed") } }
    }

    package func prepare(_ pipeline: PipelineRow, _ wish: RunWish) async throws(RunRefusal) -> RunRequest {
        let ref = wish.ref ?? pipeline.ref
        let files = try await files(of: PipelineDraft(pipeline), ref: ref, commit: wish.commit)
        if pipeline.readsFromRepository, wish.isNewestOfOwnRef || ref == pipeline.ref && wish.commit.isEmpty {
            await note(files.text, of: pipeline)
        }
        let commit = files.commit?.commit ?? wish.commit
        let (branch, tag) = Self.names(ref, files.commit)
        var wish = wish
        let changes = Changes(draft: PipelineDraft(pipeline), commit: ResolvedCommit(commit: commit, ref: ref))
        let admission = try await admit(files.text, pipeline, &wish, changes)
        if files.mayAskForChanges { await learn(changes, &wish) }
        let result = compile(
            files, PipelineDraft(pipeline), wish, ref: ref, branch: branch, tag: tag, commit: commit,
            variables: try await variables(of: pipeline.project))
        guard var plan = result.plan else { throw .definition(result.diagnostics) }
        plan.facts.skipsApproval = !wish.trusted && !admission.waitsForApproval
        return RunRequest(
            pipeline: pipeline, plan: plan, event: wish.event, ref: ref, branch: branch, tag: tag, commit: commit,
            inputs: wish.inputs, priority: wish.priority, actor: wish.actor, idempotencyKey: wish.idempotencyKey,
            reason: admission.why)
    }

    package func definition(of draft: PipelineDraft) async throws(RunRefusal) -> String {
        let files = try await files(of: draft, ref: draft.ref, commit: "", isDraft: true)
        let (branch, tag) = Self.names(draft.ref, files.commit)
        let result = compile(
            files, draft, RunWish(actor: ""), ref: draft.ref, branch: branch, tag: tag,
            commit: files.commit?.commit ?? "", isDraft: true)
        var errors = result.diagnostics.filter { $0.severity == .error }
        let file = Self.file(of: draft)
        for schedule in compiler.triggers(in: files.text, file: file)?.schedules ?? []
        where !configuration.zoneExists(schedule.zone) {
            errors.append(
                Diagnostic(
                    code: .invalidValue, message: "There is no time zone `\(schedule.zone)`.", file: file,
                    path: "on.cron",
                    hint: "Write one as Europe/Berlin, or UTC."))
        }
        guard errors.isEmpty else { throw .definition(errors) }
        return files.text
    }

    // MARK: Steps

    /// Read for each run, so that no run has older ones than its start.
    private func variables(of project: ProjectID) async throws(RunRefusal) -> [String: String] {
        do {
            return try await configuration.variables(project)
        } catch {
            throw .repository(
                RepositoryFailure(
                    .read, .here,
                    "The project's variables can't be read now: \(error). See the controller's log and its disk."))
        }
    }

    private func compile(
        _ files: Files, _ draft: PipelineDraft, _ wish: RunWish, ref: String, branch: String, tag: String,
        commit: String, isDraft: Bool = false, variables: [String: String] = [:]
    ) -> (plan: RunPlan?, diagnostics: [Diagnostic]) {
        compiler.compile(
            CompileRequest(
                definition: files.text, file: Self.file(of: draft), event: wish.event, ref: ref, branch: branch,
                tag: tag,
                commit: commit, repositoryURL: draft.repositoryURL, allowLocalRepositories: configuration.allowLocal,
                inputs: wish.inputs, included: files.included, pullRequest: wish.pullRequest, payload: wish.payload,
                changedPaths: wish.changedPaths, trusted: wish.trusted, isDraft: isDraft, variables: variables))
    }

    static func file(of draft: PipelineDraft) -> String { draft.path.isEmpty ? pathDefault : draft.path }

    private func files(
        of draft: PipelineDraft, ref: String, commit: String, isDraft: Bool = false
    ) async throws(RunRefusal) -> Files {
        let stored = Files(commit: nil, text: draft.definition, included: [:])
        guard !draft.repositoryURL.isEmpty else { return stored }
        let needsFiles =
            !draft.path.isEmpty || !compiler.includes(in: draft.definition, file: Self.file(of: draft)).isEmpty
        if !needsFiles {
            // The commit is a courtesy: it makes all jobs check out the same one and is shown. A controller that can't reach what its
            // agents can still makes the run.
            guard commit.isEmpty, !isDraft else { return stored }
            var found = stored
            found.commit = await within(configuration.commitLimit) { await self.resolve(draft, ref, tries: []) }
                .flatMap { try? $0.get() }
            return found
        }
        let limit = configuration.limit
        let result = await within(limit) { await self.read(draft, ref, commit) }
        do {
            return try (result ?? .failure(.repository(Self.late(limit)))).get()
        } catch {
            throw error
        }
    }

    private static func late(_ limit: Duration) -> RepositoryFailure {
        RepositoryFailure(
            .fetch, .timeout,
            "Reading the definition from the repository took longer than \(limit.components.seconds) s. Is its host slow?"
        )
    }

    func source(_ draft: PipelineDraft) async throws(RepositoryFailure) -> RepositorySource {
        let credential: GitCredential =
            draft.credential.isEmpty
            ? .none : try await credentials.credential(draft.credential, project: draft.project)
        return RepositorySource(
            url: draft.repositoryURL, allowLocal: configuration.allowLocal, credential: credential)
    }

    private func resolve(
        _ draft: PipelineDraft, _ ref: String, tries: [Duration]
    ) async -> Result<ResolvedCommit, RepositoryFailure> {
        await trying(tries) { () async throws(RepositoryFailure) in
            try await repositories.resolve(ref, in: try await source(draft))
        }
    }

    /// Once, and once more after each pause while that makes sense.
    private func trying<Value: Sendable>(
        _ pauses: [Duration], _ work: () async throws(RepositoryFailure) -> Value
    ) async -> Result<Value, RepositoryFailure> {
        var pauses = pauses[...]
        while true {
            do throws(RepositoryFailure) {
                return .success(try await work())
            } catch {
                guard error.mayRetry, let pause = pauses.popFirst(), (try? await Task.sleep(for: pause)) != nil else {
                    return .failure(error)
                }
            }
        }
    }

    private func read(_ draft: PipelineDraft, _ ref: String, _ commit: String) async -> Result<Files, RunRefusal> {
        let pauses = configuration.pauses
        let found: ResolvedCommit
        if commit.isEmpty {
            switch await resolve(draft, ref, tries: pauses) {
            case .success(let resolved): found = resolved
            case .failure(let failure): return .failure(.repository(failure))
            }
        } else {
            found = ResolvedCommit(
                commit: commit, ref: ref.hasPrefix("refs/") || ref.isEmpty ? ref : "refs/heads/\(ref)")
        }
        let result = await trying(pauses) { () async throws(RepositoryFailure) in
            try await contents(draft, found)
        }
        switch result {
        case .success(.success(let files)): return .success(files)
        case .success(.failure(let refusal)): return .failure(.definition([Self.diagnostic(refusal)]))
        case .failure(let failure): return .failure(.repository(failure))
        }
    }

    private func contents(
        _ draft: PipelineDraft, _ commit: ResolvedCommit
    ) async throws(RepositoryFailure) -> Result<Files, IncludeWalk.Refusal> {
        let source = try await source(draft)
        let file = Self.file(of: draft)
        let text =
            draft.path.isEmpty
            ? draft.definition
            : try await repositories.read(draft.path, at: commit, in: source, limitBytes: PlanLimits.sourceBytesMax)
        do {
            var walk = try IncludeWalk(file: file, includes: compiler.includes(in: text, file: file))
            while let path = walk.wanted {
                let included: String
                do throws(RepositoryFailure) {
                    included = try await repositories.read(
                        path, at: commit, in: source, limitBytes: PlanLimits.sourceBytesMax)
                } catch {
                    guard [.noSuchFile, .notAFile, .tooLarge].contains(error.reason) else { throw error }
                    // The host is well: who wrote the include must change it.
                    throw IncludeWalk.Refusal(file: walk.wantedBy ?? file, include: path, description: error.message)
                }
                try walk.add(included, includes: compiler.includes(in: included, file: path))
            }
            return .success(Files(commit: commit, text: text, included: walk.texts))
        } catch let refusal as IncludeWalk.Refusal {
            return .failure(refusal)
        } catch let failure as RepositoryFailure {
            throw failure
        } catch {
            throw RepositoryFailure(.read, .other, "\(error)")
        }
    }

    /// The newest text is what people see of the pipeline, with its history.
    private func note(_ text: String, of pipeline: PipelineRow) async {
        do {
            guard let row = try await pipelines.pipeline(pipeline.id), row.path == pipeline.path,
                row.repositoryURL == pipeline.repositoryURL, row.definition != text
            else { return }
            var draft = PipelineDraft(row)
            draft.definition = text
            _ = try await pipelines.update(
                row.id, draft, expected: row.version, by: "repository", at: configuration.now())
        } catch {
            // Somebody saved it at the same moment, or the disk is full: the run has its plan all the same.
            logger.debug("the last definition was not noted", metadata: ["pipeline": "\(pipeline.id)"])
        }
    }

    // MARK: Names

    private static func names(_ ref: String, _ commit: ResolvedCommit?) -> (branch: String, tag: String) {
        if let commit, !commit.ref.isEmpty { return (commit.branch, commit.tag) }
        if ref.hasPrefix("refs/tags/") { return ("", String(ref.dropFirst(10))) }
        if ref.hasPrefix("refs/heads/") { return (String(ref.dropFirst(11)), "") }
        let isName = !ref.isEmpty && ref != "HEAD" && !ref.hasPrefix("refs/") && GitRef.checkCommit(ref) != nil
        return (isName ? ref : "", "")
    }

    private static func diagnostic(_ refusal: IncludeWalk.Refusal) -> Diagnostic {
        Diagnostic(code: .invalidValue, message: refusal.description, file: refusal.file, path: "include")
    }
}
