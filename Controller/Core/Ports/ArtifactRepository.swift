package import AnsFlowProtocol

/// A live attempt as the store knows it: for whom an agent sends or asks for artifacts.
package struct ArtifactHolder: Equatable, Sendable {
    package var attempt: AttemptID
    package var step: StepID
    package var job: JobID
    package var jobAttempt: JobAttemptID
    package var run: RunID
    package var pipeline: PipelineID
    package var project: ProjectID

    package init(
        attempt: AttemptID, step: StepID, job: JobID, jobAttempt: JobAttemptID, run: RunID, pipeline: PipelineID,
        project: ProjectID
    ) {
        self.attempt = attempt
        self.step = step
        self.job = job
        self.jobAttempt = jobAttempt
        self.run = run
        self.pipeline = pipeline
        self.project = project
    }
}

/// One kept file.
package struct ArtifactRow: Equatable, Sendable {
    package var run: RunID
    package var jobAttempt: JobAttemptID
    /// The job's id in the plan.
    package var job: String
    /// Below the workspace.
    package var path: String
    package var sha256: String
    package var size: UInt64
    package var executable: Bool
    package var createdAt: Int64
    /// When it goes.
    package var expiresAt: Int64

    package init(
        run: RunID, jobAttempt: JobAttemptID, job: String, path: String, sha256: String, size: UInt64,
        executable: Bool, createdAt: Int64, expiresAt: Int64
    ) {
        self.run = run
        self.jobAttempt = jobAttempt
        self.job = job
        self.path = path
        self.sha256 = sha256
        self.size = size
        self.executable = executable
        self.createdAt = createdAt
        self.expiresAt = expiresAt
    }
}

/// A file to be kept, with its end.
package struct ArtifactEntry: Equatable, Sendable {
    package var path: String
    package var sha256: String
    package var size: UInt64
    package var executable: Bool
    package var expiresAt: Int64

    package init(path: String, sha256: String, size: UInt64, executable: Bool, expiresAt: Int64) {
        self.path = path
        self.sha256 = sha256
        self.size = size
        self.executable = executable
        self.expiresAt = expiresAt
    }
}

/// What jobs keep. A row counts for people and for other jobs once the step attempt that sent it has ended well and its job attempt
/// has ended: the transaction that ends the job attempt is what publishes it.
package protocol ArtifactRepository: Sendable {
    /// The attempt, where it is live and this agent's.
    func artifactHolder(_ attempt: AttemptID, agent: AgentID) async throws -> ArtifactHolder?
    /// Whether a content is already kept in the project, so that whoever may write there need not send it.
    func hasArtifact(sha256: String, in project: ProjectID) async throws -> Bool
    /// Replaces what the step's attempts of this job attempt have said before; files and results together.
    ///
    /// - Returns: False where the attempt is not live any more; nothing is written then.
    func publishArtifacts(
        _ entries: [ArtifactEntry], reports: [TestReport], of holder: ArtifactHolder, at: Int64
    ) async throws -> Bool
    /// Those of a run, by job and path: of each job the newest ended attempt.
    ///
    /// - Parameter job: Of this job alone.
    func artifacts(of run: RunID, job: String?) async throws -> [ArtifactRow]
    /// Of those that hold rows, whether any row names the content.
    func isArtifactReferenced(sha256: String) async throws -> Bool
    /// Removes rows whose time has come; at most `limit`. Returns how many.
    func expireArtifacts(at: Int64, limit: Int) async throws -> Int
}

/// Why an agent's request for artifacts is refused. Each text is a sentence for the step's log.
package struct ArtifactRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: Equatable, Sendable {
        /// The attempt is not live on that agent.
        case notLive
        case notFound
        /// The upload goes on at another place.
        case offset(UInt64)
        /// What came is not what was announced; the upload begins anew.
        case mismatch
        /// Another upload of the same content is under way.
        case busy
        case tooLarge
        case full
        /// A reference to content that was not sent.
        case incomplete
        case unavailable
    }

    package var kind: Kind
    package var description: String

    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}

/// How much of a content is there.
package struct UploadStatus: Equatable, Sendable {
    package var offset: UInt64
    /// All of it is there and verified.
    package var complete: Bool

    package init(offset: UInt64, complete: Bool) {
        self.offset = offset
        self.complete = complete
    }
}

/// What agents do with artifacts. Who asks was decided by its certificate.
package protocol AgentArtifacts: Sendable {
    /// - Throws: ``ArtifactRefusal``, as all of these.
    func status(
        of digest: String, size: UInt64, attempt: AttemptID, agent: AgentID
    ) async throws(ArtifactRefusal) -> UploadStatus
    /// Takes content from `offset` on.
    ///
    /// - Parameter next: The next piece; `nil` at the end. What came before an error is kept for going on.
    func upload(
        _ digest: String, size: UInt64, offset: UInt64, attempt: AttemptID, agent: AgentID,
        next: () async throws -> [UInt8]?
    ) async throws(ArtifactRefusal) -> UploadStatus
    func publish(
        _ manifest: ArtifactManifest, attempt: AttemptID, agent: AgentID
    ) async throws(ArtifactRefusal) -> ArtifactReceipt
    /// What the job `job` of the attempt's run has kept.
    func listing(job: String, attempt: AttemptID, agent: AgentID) async throws(ArtifactRefusal) -> ArtifactListing
    /// A content that some job of the attempt's project has kept.
    func content(_ digest: String, attempt: AttemptID, agent: AgentID) async throws(ArtifactRefusal)
        -> any ArtifactContent
}

/// Stored content, open for reading: it can be read to its end whatever is removed meanwhile.
package protocol ArtifactContent: Sendable {
    var size: UInt64 { get }
    /// At most `count` bytes; fewer at the end only.
    func read(at offset: UInt64, count: Int) async throws -> [UInt8]
}

/// What people do with artifacts.
package protocol ArtifactReading: Sendable {
    func artifacts(of run: RunID, job: String?) async throws -> [ArtifactRow]
    /// `nil` where the store lost it.
    func open(_ row: ArtifactRow) async throws -> (any ArtifactContent)?
}
