import AnsFlowProtocol
import ControllerCore
import Crypto
import Foundation
import Logging
import Synchronization

@testable import ControllerArtifacts

/// Rows in memory: attempts that are live, and what they publish.
final class MemoryArtifacts: ArtifactRepository {
    struct State {
        var live: [AttemptID: (agent: AgentID, holder: ArtifactHolder)] = [:]
        var entries: [AttemptID: [ArtifactEntry]] = [:]
        var reports: [AttemptID: [TestReport]] = [:]
        var projects: [AttemptID: ProjectID] = [:]
        var fails = false
    }

    let state = Mutex(State())

    func begin(_ attempt: Int64, agent: Int64 = 1, project: Int64 = 1, run: Int64 = 1) {
        let holder = ArtifactHolder(
            attempt: AttemptID(attempt), step: StepID(attempt), job: JobID(attempt), jobAttempt: JobAttemptID(attempt),
            run: RunID(run), pipeline: PipelineID(1), project: ProjectID(project))
        state.withLock {
            $0.live[AttemptID(attempt)] = (AgentID(agent), holder)
            $0.projects[AttemptID(attempt)] = ProjectID(project)
        }
    }

    func end(_ attempt: Int64) { state.withLock { $0.live[AttemptID(attempt)] = nil } }

    private struct Broken: Error {}

    func artifactHolder(_ attempt: AttemptID, agent: AgentID) async throws -> ArtifactHolder? {
        try state.withLock { state in
            if state.fails { throw Broken() }
            return state.live[attempt].flatMap { $0.agent == agent ? $0.holder : nil }
        }
    }
    func hasArtifact(sha256: String, in project: ProjectID) async throws -> Bool {
        state.withLock { state in
            state.entries.contains { attempt, entries in
                state.projects[attempt] == project && entries.contains { $0.sha256 == sha256 }
            }
        }
    }
    func publishArtifacts(
        _ entries: [ArtifactEntry], reports: [TestReport], of holder: ArtifactHolder, at: Int64
    ) async throws -> Bool {
        state.withLock { state in
            guard state.live[holder.attempt]?.holder == holder else { return false }
            state.entries[holder.attempt] = entries
            state.reports[holder.attempt] = reports
            return true
        }
    }
    func artifacts(of run: RunID, job: String?) async throws -> [ArtifactRow] {
        state.withLock { state in
            state.entries.sorted { $0.key.rawValue < $1.key.rawValue }.flatMap { attempt, entries in
                entries.map {
                    ArtifactRow(
                        run: run, jobAttempt: JobAttemptID(attempt.rawValue), job: "job", path: $0.path,
                        sha256: $0.sha256, size: $0.size, executable: $0.executable, createdAt: 0,
                        expiresAt: $0.expiresAt)
                }
            }
        }
    }
    func isArtifactReferenced(sha256: String) async throws -> Bool {
        state.withLock { $0.entries.values.contains { $0.contains { $0.sha256 == sha256 } } }
    }
    func expireArtifacts(at: Int64, limit: Int) async throws -> Int {
        state.withLock { state in
            var count = 0
            for (attempt, entries) in state.entries {
                let left = entries.filter { $0.expiresAt > at }
                count += entries.count - left.count
                state.entries[attempt] = left
            }
            return count
        }
    }
}

/// A store in a directory of its own, which goes with it.
final class Bench: Sendable {
    let directory: String
    let rows = MemoryArtifacts()
    let store: ArtifactStore
    init(_ configuration: ArtifactConfiguration = .init(), shortage: String? = nil) throws {
        directory = FileManager.default.temporaryDirectory.path + "/artifacts-\(UUID().uuidString)"
        let box = Clock()
        clock = box
        store = try ArtifactStore(
            directory: directory, repository: rows, configuration: configuration, clock: { box.now },
            shortage: { shortage }, logger: Logger(label: "test"))
        rows.begin(1)
    }

    final class Clock: Sendable {
        let ahead = Mutex<Int64>(0)
        var now: Int64 { Int64(Date().timeIntervalSince1970 * 1000) + ahead.withLock { $0 } }
    }

    let clock: Clock

    /// The same directory as a controller finds it after a restart.
    func restarted() throws -> ArtifactStore {
        let clock = clock
        return try ArtifactStore(
            directory: directory, repository: rows, clock: { clock.now }, logger: Logger(label: "test"))
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// Names of all files below one of the store's folders.
    func files(_ folder: String) -> [String] {
        FileManager.default.enumerator(atPath: "\(directory)/\(folder)")?.compactMap { $0 as? String }
            .filter { $0.count > 60 }.sorted() ?? []
    }
}

func digest(_ bytes: [UInt8]) -> String { Hex.text(SHA256.hash(data: bytes)) }

struct Cut: Error {}

extension ArtifactStore {
    /// Sends content in pieces, from where the store says.
    @discardableResult
    func send(
        _ bytes: [UInt8], as name: String? = nil, attempt: Int64 = 1, agent: Int64 = 1, pieces: Int = 1000,
        cutAfter: Int? = nil
    ) async throws -> UploadStatus {
        let name = name ?? digest(bytes)
        let size = UInt64(bytes.count)
        let status = try await status(of: name, size: size, attempt: AttemptID(attempt), agent: AgentID(agent))
        if status.complete { return status }
        var rest = bytes.dropFirst(Int(status.offset))
        var sent = 0
        return try await upload(
            name, size: size, offset: status.offset, attempt: AttemptID(attempt), agent: AgentID(agent)
        ) {
            if let cutAfter, sent >= cutAfter { throw Cut() }
            guard !rest.isEmpty else { return nil }
            let piece = Array(rest.prefix(pieces))
            rest = rest.dropFirst(pieces)
            sent += piece.count
            return piece
        }
    }

    func keep(_ path: String, _ bytes: [UInt8], keepMs: UInt64? = nil, attempt: Int64 = 1) async throws {
        let file = ArtifactManifest.File(path: path, size: UInt64(bytes.count), sha256: digest(bytes), keepMs: keepMs)
        _ = try await publish(ArtifactManifest(files: [file]), attempt: AttemptID(attempt), agent: AgentID(1))
    }
}
