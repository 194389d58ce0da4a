/// Files that are kept when a job ends.
package struct ArtifactRule: Codable, Equatable, Sendable {
    package enum When: String, Codable, Sendable, CaseIterable {
        case success, failure, always
    }

    /// Globs below the workspace; `**` crosses folders. A leading `!` takes files out again.
    package var paths: [String]
    /// How long they are kept, in milliseconds; `nil` for the controller's rule.
    package var keepMs: UInt64?
    /// The job's result, apart from clean-up, with which they are kept.
    package var when: When
    /// Whether it is fine that nothing matches.
    package var optional: Bool

    package init(paths: [String], keepMs: UInt64? = nil, when: When = .success, optional: Bool = false) {
        self.paths = paths
        self.keepMs = keepMs
        self.when = when
        self.optional = optional
    }

    enum CodingKeys: String, CodingKey {
        case paths, when, optional
        case keepMs = "keep_ms"
    }
}

/// Artifacts of an earlier job that are put into the workspace before the first step.
package struct ArtifactSource: Codable, Equatable, Sendable {
    /// Ids of jobs of the plan, which the job needs; all cells where a matrix made several.
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

/// Test reports that a step writes.
package struct ReportRule: Codable, Equatable, Sendable {
    package enum Kind: String, Codable, Sendable, CaseIterable {
        case junit
    }

    package var kind: Kind
    /// Globs below the workspace.
    package var paths: [String]
    /// The step that writes them.
    package var step: String

    package init(kind: Kind, paths: [String], step: String) {
        self.kind = kind
        self.paths = paths
        self.step = step
    }
}
