/// What an agent executes for one attempt. The controller compiles; the agent only runs this.
package struct StepSpec: Codable, Equatable, Sendable {
    /// What the step does.
    package enum Action: Codable, Equatable, Sendable {
        /// Runs `shell` with each text of `commands`, in order; the first that fails ends the step.
        case run(commands: [String], shell: Shell)
        /// Checks a repository out into the workspace.
        case checkout(Checkout)
    }

    package enum Shell: String, Codable, Sendable, CaseIterable {
        case sh, bash
    }

    package struct Checkout: Codable, Equatable, Sendable {
        package var url: String
        /// A branch, tag or full ref; empty for the repository's default branch.
        package var ref: String
        /// A full commit id; empty for the ref's newest.
        package var commit: String
        /// Commits of history; 0 for all.
        package var depth: Int
        package var submodules: Bool
        package var lfs: Bool
        /// Whether files that git does not know are removed first.
        package var clean: Bool
        /// Whether `file:` addresses and loopback hosts are allowed.
        package var allowLocal: Bool

        package init(
            url: String, ref: String, commit: String, depth: Int = 1, submodules: Bool = false, lfs: Bool = false,
            clean: Bool = true, allowLocal: Bool = false
        ) {
            self.url = url
            self.ref = ref
            self.commit = commit
            self.depth = depth
            self.submodules = submodules
            self.lfs = lfs
            self.clean = clean
            self.allowLocal = allowLocal
        }

        enum CodingKeys: String, CodingKey {
            case url, ref, commit, depth, submodules, lfs, clean
            case allowLocal = "allow_local"
        }
    }

    /// The job attempt whose workspace the step runs in.
    package var jobAttempt: JobAttemptID
    /// For people: `pipeline/job/step`.
    package var title: String
    package var action: Action
    package var environment: [String: String]
    /// From the child's start until TERM, in milliseconds.
    package var timeoutMs: UInt64
    /// Between TERM and KILL, in milliseconds.
    package var graceMs: UInt64
    /// Stored bytes of output.
    package var logLimitBytes: UInt64

    package init(
        jobAttempt: JobAttemptID, title: String, action: Action, environment: [String: String], timeoutMs: UInt64,
        graceMs: UInt64 = 10_000, logLimitBytes: UInt64 = ProtocolLimits.logBytesDefault
    ) {
        self.jobAttempt = jobAttempt
        self.title = title
        self.action = action
        self.environment = environment
        self.timeoutMs = timeoutMs
        self.graceMs = graceMs
        self.logLimitBytes = logLimitBytes
    }

    enum CodingKeys: String, CodingKey {
        case title, action, environment
        case jobAttempt = "job_attempt"
        case timeoutMs = "timeout_ms"
        case graceMs = "grace_ms"
        case logLimitBytes = "log_limit_bytes"
    }
}
