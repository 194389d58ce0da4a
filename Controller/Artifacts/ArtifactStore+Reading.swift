package import ControllerCore
import NIOPosix

// What people read.
extension ArtifactStore: ArtifactReading {
    package func artifacts(of run: RunID, job: String?) async throws -> [ArtifactRow] {
        try await repository.artifacts(of: run, job: job)
    }

    package func open(_ row: ArtifactRow) async throws -> (any ArtifactContent)? { try await open(row.sha256) }

    func open(_ digest: String) async throws -> StoredContent? {
        let files = self.files
        guard let content = try await blocking({ try files.open(digest) }) else { return nil }
        return StoredContent(content: content, pool: pool)
    }
}

/// An open content, read on threads that may block.
struct StoredContent: ArtifactContent {
    let content: OpenContent
    let pool: NIOThreadPool

    var size: UInt64 { content.size }

    func read(at offset: UInt64, count: Int) async throws -> [UInt8] {
        let content = self.content
        return try await pool.runIfActive { try content.read(at: offset, count: count) }
    }
}
