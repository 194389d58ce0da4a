package import ControllerCore
import Synchronization

// Retention and deleted runs: content goes at once instead of with a sweep.
extension ArtifactStore: ArtifactRemoving {
    package func removeUnused(_ digests: [String]) async throws {
        for digest in Set(digests) {
            let files = self.files
            let size = try await locks.run(digest) { () -> UInt64? in
                // Whoever has just sent it, or was told that it is here, may name it yet.
                guard !isClaimed(digest), try await !repository.isArtifactReferenced(sha256: digest) else { return nil }
                return try await blocking {
                    let size = files.size(digest)
                    try files.remove(digest)
                    return size
                }
            }
            guard let size else { continue }
            state.withLock { $0.bytes -= min($0.bytes, size) }
        }
    }

    private func isClaimed(_ digest: String) -> Bool {
        state.withLock { $0.claims.contains { $0.value.digests[digest] != nil } }
    }
}

extension ArtifactStore: ArtifactBackup {
    package func backupSources() async throws -> [BackupSource] {
        let files = self.files
        return try await blocking {
            var sources: [BackupSource] = []
            try files.eachObject { digest, size, _ in
                let place = files.place(digest)
                sources.append(
                    BackupSource(name: place.name, path: place.path, bytes: size, isFinal: true, sha256: digest))
            }
            return sources
        }
    }
}
