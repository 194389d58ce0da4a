import AgentCore
import AgentExec
import AnsFlowProtocol
import FoundationEssentials
import Glibc

/// The artifacts of one local run: what the built-in steps give to a controller goes to a folder instead.
///
/// Content lies by its digest in the run's own directory, which goes with the run; files that are kept are copied to the user's
/// folder, one below it for each job.
struct LocalArtifacts: ArtifactTransport {
    private let data: String
    private let target: String
    private let job: String

    /// - Parameters:
    ///   - data: the run's directory.
    ///   - job: id of the job whose step this is.
    init(data: String, job: String) throws {
        self.data = data
        self.job = job
        target = try ExecDirectory.settings(in: data).artifacts
        for name in ["content", "kept"] { try FileIO.makeDirectory("\(data)/\(name)", mode: 0o700) }
    }

    func withLink<Value: Sendable>(_ body: (any ArtifactLink) async throws -> Value) async throws -> Value {
        try await body(Link(artifacts: self))
    }

    /// A name of a job as a name of a file.
    private func folder(of job: String) -> String { String(job.map { $0 == "/" ? "_" : $0 }) }

    private struct Link: ArtifactLink {
        let artifacts: LocalArtifacts

        private func content(_ digest: String) -> String { "\(artifacts.data)/content/\(digest)" }

        private func manifest(of job: String) -> String { "\(artifacts.data)/kept/\(artifacts.folder(of: job))" }

        func missing(_ digest: String, size: UInt64) async throws -> UInt64? {
            access(content(digest), F_OK) == 0 ? nil : 0
        }

        func send(_ digest: String, size: UInt64, offset: UInt64, next: () async throws -> [UInt8]?) async throws {
            let temporary = "\(content(digest)).\(getpid()).\(HostFacts.randomName(bytes: 4))"
            let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            guard file >= 0 else { throw fault("\(temporary) cannot be made") }
            defer { close(file) }
            while let piece = try await next() {
                guard FileIO.writeAll(piece, to: file) else { throw fault("\(temporary) cannot be written") }
            }
            guard rename(temporary, content(digest)) == 0 else { throw fault("\(temporary) cannot be moved") }
        }

        func publish(_ manifest: ArtifactManifest) async throws -> ArtifactReceipt {
            let folder = "\(artifacts.target)/\(artifacts.folder(of: artifacts.job))"
            try ignore()
            try? FileManager.default.removeItem(atPath: folder)
            try FileIO.makeDirectory(folder, mode: 0o755)
            var copy = TreeCopy()
            for file in manifest.files {
                try copy.copy(file.sha256, from: "\(artifacts.data)/content", to: folder, as: file.path)
                chmod("\(folder)/\(file.path)", file.executable ? 0o755 : 0o644)
            }
            let text = Array(try JSONEncoder().encode(manifest.files))
            try FileIO.write(text, to: self.manifest(of: artifacts.job), mode: 0o600)
            var notes = manifest.files.isEmpty ? [] : ["They are in \(folder)"]
            for report in manifest.reports {
                notes.append("The report \(report.path) of \(report.step) is not read here.")
            }
            return ArtifactReceipt(notes: notes)
        }

        /// So that git does not take what is kept for a part of the project.
        private func ignore() throws {
            try FileIO.makeDirectory(artifacts.target, mode: 0o755)
            let file = "\(artifacts.target)/.gitignore"
            if access(file, F_OK) != 0 { try FileIO.write(Array("*\n".utf8), to: file, mode: 0o644) }
        }

        func listing(job: String) async throws -> ArtifactListing {
            let file = manifest(of: job)
            guard access(file, F_OK) == 0 else { return ArtifactListing(files: []) }
            let bytes = try FileIO.read(file, limit: ArtifactLimits.manifestBytesMax)
            return ArtifactListing(files: try JSONDecoder().decode([ArtifactManifest.File].self, from: Data(bytes)))
        }

        func fetch(_ digest: String, from offset: UInt64, into piece: ([UInt8]) async throws -> Void) async throws {
            let file = open(content(digest), O_RDONLY | O_CLOEXEC)
            guard file >= 0, lseek(file, off_t(offset), SEEK_SET) >= 0 else { throw fault("\(digest) cannot be read") }
            defer { close(file) }
            var buffer = [UInt8](repeating: 0, count: 256 * 1024)
            while true {
                let count = read(file, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else { throw fault("\(digest) cannot be read") }
                if count == 0 { return }
                try await piece(Array(buffer[..<count]))
            }
        }

        private func fault(_ what: String) -> ArtifactFault { .refused("\(what): \(FileIO.reason()).") }
    }
}
