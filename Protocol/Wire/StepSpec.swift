/// What an agent executes for one attempt. The controller compiles; the agent only runs this.
package struct StepSpec: Codable, Equatable, Sendable {
    /// What the step does.
    package enum Action: Codable, Equatable, Sendable {
        /// Runs `shell` with each text of `commands`, in order; the first that fails ends the step.
        case run(commands: [String], shell: Shell)
        /// Checks a repository out into the workspace.
        case checkout(Checkout)
        /// Keeps files of the workspace, and test reports.
        case storeArtifacts(StoreArtifacts)
        /// Puts files that earlier jobs kept into the workspace.
        case fetchArtifacts(FetchArtifacts)
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

    package struct StoreArtifacts: Codable, Equatable, Sendable {
        package struct Rule: Codable, Equatable, Sendable {
            /// Globs below the workspace; `**` crosses folders. A leading `!` takes files out again.
            package var paths: [String]
            /// How long they are kept, in milliseconds; `nil` for the controller's rule.
            package var keepMs: UInt64?
            /// Whether it is fine that nothing matches.
            package var optional: Bool

            package init(paths: [String], keepMs: UInt64? = nil, optional: Bool = false) {
                self.paths = paths
                self.keepMs = keepMs
                self.optional = optional
            }

            enum CodingKeys: String, CodingKey {
                case paths, optional
                case keepMs = "keep_ms"
            }
        }

        /// JUnit reports that a step wrote.
        package struct Report: Codable, Equatable, Sendable {
            package var step: String
            /// Globs as in ``Rule/paths``.
            package var paths: [String]

            package init(step: String, paths: [String]) {
                self.step = step
                self.paths = paths
            }
        }

        package var rules: [Rule]
        package var reports: [Report]

        package init(rules: [Rule], reports: [Report] = []) {
            self.rules = rules
            self.reports = reports
        }
    }

    package struct FetchArtifacts: Codable, Equatable, Sendable {
        package struct Source: Codable, Equatable, Sendable {
            /// Ids of jobs of the same run.
            package var jobs: [String]
            /// Globs that narrow what is fetched; empty for all.
            package var paths: [String]
            /// A folder below the workspace; empty for the workspace itself.
            package var into: String

            package init(jobs: [String], paths: [String] = [], into: String = "") {
                self.jobs = jobs
                self.paths = paths
                self.into = into
            }
        }

        package var sources: [Source]

        package init(sources: [Source]) {
            self.sources = sources
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
