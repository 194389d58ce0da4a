/// Every maximum of artifacts and reports. Both ends check each.
package enum ArtifactLimits {
    /// Files that one job attempt keeps.
    package static let filesMax = 10_000
    /// Bytes of a path below the workspace, in UTF-8.
    package static let pathBytesMax = 1024
    /// Bytes of a manifest as JSON: as many files as are allowed, with paths of the usual length.
    package static let manifestBytesMax = 4 * 1024 * 1024
    /// Bytes of one file.
    package static let fileBytesMax: UInt64 = 16 * 1024 * 1024 * 1024
    /// Report files of one job attempt.
    package static let reportsMax = 200
    /// Bytes of one report.
    package static let reportBytesMax: UInt64 = 32 * 1024 * 1024

    /// Whether `digest` is a SHA-256 in lower-case hex.
    package static func isDigest(_ digest: some StringProtocol) -> Bool {
        digest.utf8.count == 64 && digest.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }

    /// Whether `path` names something below a folder: relative, no empty part, no `.` and `..`, nothing that ends a line.
    package static func isPath(_ path: String) -> Bool {
        guard !path.isEmpty, path.utf8.count <= pathBytesMax, path.utf8.allSatisfy({ $0 >= 32 && $0 != 127 }) else {
            return false
        }
        return path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
            !$0.isEmpty && $0 != "." && $0 != ".."
        }
    }
}

/// Paths and header fields of artifacts on the agents' listener.
///
/// Every request names the attempt for which it is made as `?attempt=ID`; that attempt must be live on the agent that asks.
package enum ArtifactPaths {
    /// Followed by the content's digest. HEAD asks how much is there; PUT sends the rest; GET reads, also a range.
    package static let content = "/agent/artifacts/"
    /// PUT says which files a job attempt keeps; GET with `?job=ID` says what that job of the same run has kept.
    package static let manifest = "/agent/artifact-manifest"
    /// Of an answer to HEAD and PUT: bytes that are there.
    package static let offsetField = "upload-offset"
    /// Of an answer to HEAD and PUT: `1` where all of it is there and verified.
    package static let completeField = "upload-complete"
}

/// What a job attempt keeps, sent when all of it is there. It counts when the step that sent it has ended well and the job attempt has
/// ended; a later one of the same step replaces it.
package struct ArtifactManifest: Codable, Equatable, Sendable {
    package struct File: Codable, Equatable, Sendable {
        /// Below the workspace, with `/`.
        package var path: String
        package var size: UInt64
        /// Lower-case hex.
        package var sha256: String
        package var executable: Bool
        /// How long it is kept, in milliseconds; `nil` for the controller's rule.
        package var keepMs: UInt64?

        package init(path: String, size: UInt64, sha256: String, executable: Bool = false, keepMs: UInt64? = nil) {
            self.path = path
            self.size = size
            self.sha256 = sha256
            self.executable = executable
            self.keepMs = keepMs
        }

        enum CodingKeys: String, CodingKey {
            case path, size, sha256, executable
            case keepMs = "keep_ms"
        }
    }

    /// A JUnit report.
    package struct Report: Codable, Equatable, Sendable {
        /// The step that wrote it.
        package var step: String
        package var path: String
        package var size: UInt64
        package var sha256: String

        package init(step: String, path: String, size: UInt64, sha256: String) {
            self.step = step
            self.path = path
            self.size = size
            self.sha256 = sha256
        }
    }

    package var files: [File]
    package var reports: [Report]

    package init(files: [File], reports: [Report] = []) {
        self.files = files
        self.reports = reports
    }

    func validate() throws(WireError) {
        guard files.count <= ArtifactLimits.filesMax else {
            throw WireError("A job keeps at most \(ArtifactLimits.filesMax) files; these are \(files.count).")
        }
        guard reports.count <= ArtifactLimits.reportsMax else {
            throw WireError("A job has at most \(ArtifactLimits.reportsMax) reports; these are \(reports.count).")
        }
        for file in files {
            guard ArtifactLimits.isPath(file.path), ArtifactLimits.isDigest(file.sha256),
                file.size <= ArtifactLimits.fileBytesMax
            else { throw WireError("A file's path, size or digest is not one that is allowed.") }
        }
        for report in reports {
            guard ArtifactLimits.isPath(report.path), ArtifactLimits.isDigest(report.sha256),
                report.size <= ArtifactLimits.reportBytesMax, report.step.utf8.count <= 256
            else { throw WireError("A report's path, size or digest is not one that is allowed.") }
        }
        guard Set(files.map(\.path)).count == files.count else { throw WireError("A path is named twice.") }
    }
}

/// The controller's answer to a manifest: it is durable.
package struct ArtifactReceipt: Codable, Equatable, Sendable {
    /// Sentences for the step's log: what became of the reports.
    package var notes: [String]

    package init(notes: [String] = []) {
        self.notes = notes
    }
}

/// What a job of the same run has kept.
package struct ArtifactListing: Codable, Equatable, Sendable {
    package var files: [ArtifactManifest.File]

    package init(files: [ArtifactManifest.File]) {
        self.files = files
    }
}
