import AnsFlowProtocol

/// A build of another system that is shown as a run of a pipeline: one run, however often it is told of.
package struct MirroredBuild: Equatable, Hashable, Sendable {
    package var hook: HookID
    package var pipeline: PipelineID
    /// What the other system calls it: `widgets-nightly#18`.
    package var name: String

    package init(hook: HookID, pipeline: PipelineID, name: String) {
        self.hook = hook
        self.pipeline = pipeline
        self.name = name
    }

    private static let mark = "build:"

    /// No caller can send one: theirs begin with another word.
    package var idempotencyKey: String { "\(Self.mark)\(hook.rawValue):\(pipeline.rawValue):\(name)" }

    /// - Returns: `nil` for the keys of others.
    package init?(idempotencyKey key: String) {
        guard key.hasPrefix(Self.mark) else { return nil }
        let parts = key.dropFirst(Self.mark.count).split(
            separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let hook = Int64(parts[0]), let pipeline = Int64(parts[1]) else { return nil }
        self.init(hook: HookID(hook), pipeline: PipelineID(pipeline), name: String(parts[2]))
    }
}

/// Shows builds of other systems as runs.
package protocol BuildMirroring: Sendable {
    /// The run that shows a build; nil where there is none, or where it was deleted.
    func run(of build: MirroredBuild) async throws -> RunID?
    /// Makes the run. Durable on return.
    ///
    /// - Parameters:
    ///   - system: who executes it, for people: `jenkins`.
    ///   - branch: empty where it is not known; so is `commit`.
    func begin(
        _ build: MirroredBuild, of pipeline: PipelineRow, by system: String, branch: String, commit: String,
        actor: String
    ) async throws(CommandFailure) -> RunID
    /// Ends the run. Durable on return.
    ///
    /// - Parameter log: kept before, once; may be empty.
    /// - Throws: ``ReportFailure/notOpen`` where it has ended.
    func end(_ run: RunID, _ status: ReportedStatus, message: String, log: String) async throws(ReportFailure)
}
