import AnsFlowProtocol
package import ControllerCore
package import Logging
package import NIOPosix
import Synchronization

/// What jobs keep: content by its SHA-256 in files, who keeps it under which path in the database.
///
/// Content is taken with its size and digest announced, goes on where it broke off, and can be read once all of it is there, verified
/// and durable. The same content is stored once. It goes when no row names it any more. Any task may call any method.
package final class ArtifactStore: Sendable {
    /// What a live attempt has sent or shown that it may name.
    struct Claims {
        var digests: [String: UInt64] = [:]
        var bytes: UInt64 = 0
        var usedAt: Int64
    }

    struct State {
        /// Bytes of all whole content.
        var bytes: UInt64 = 0
        /// Uploads that are being written now: owner and digest.
        var busy: Set<String> = []
        var claims: [AttemptID: Claims] = [:]
    }

    let files: ContentFiles
    let repository: any ArtifactRepository
    let configuration: ArtifactConfiguration
    let clock: @Sendable () -> Int64
    let shortage: @Sendable () -> String?
    let logger: Logger
    let pool: NIOThreadPool
    let locks = KeyedLock()
    let state = Mutex(State())

    /// Opens the store and counts what is in it. Blocks; call it once, at start.
    ///
    /// - Parameters:
    ///   - directory: Made where it is missing.
    ///   - clock: Milliseconds since 1970.
    ///   - shortage: Why nothing is taken for want of disk; nil while there is room.
    package init(
        directory: String, repository: any ArtifactRepository, configuration: ArtifactConfiguration = .init(),
        clock: @escaping @Sendable () -> Int64, shortage: @escaping @Sendable () -> String? = { nil },
        logger: Logger, pool: NIOThreadPool = .singleton
    ) throws {
        files = try ContentFiles(directory)
        self.repository = repository
        self.configuration = configuration
        self.clock = clock
        self.shortage = shortage
        self.logger = logger
        self.pool = pool
        var bytes: UInt64 = 0
        try files.eachObject { _, size, _ in bytes += size }
        let total = bytes
        state.withLock { $0.bytes = total }
    }

    /// Bytes of all whole content.
    package var storedBytes: UInt64 { state.withLock { $0.bytes } }

    // MARK: Parts

    func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await pool.runIfActive(body)
    }

    /// The attempt, which must be live and this agent's.
    func holder(_ attempt: AttemptID, _ agent: AgentID) async throws(ArtifactRefusal) -> ArtifactHolder {
        let found: ArtifactHolder?
        do {
            found = try await repository.artifactHolder(attempt, agent: agent)
        } catch {
            throw unavailable(error)
        }
        guard let found else {
            throw ArtifactRefusal(.notLive, "This attempt does not run on this agent any more.")
        }
        return found
    }

    func unavailable(_ error: any Error) -> ArtifactRefusal {
        if let failure = error as? ContentFailure, failure.isFull {
            return ArtifactRefusal(.full, "The controller's disk is full.")
        }
        logger.error("artifact store failed", metadata: ["error": "\(error)"])
        return ArtifactRefusal(.unavailable, "The controller can't use its artifact store at the moment.")
    }

    /// Notes that the attempt may name a content.
    func claim(_ digest: String, size: UInt64, _ attempt: AttemptID) {
        let now = clock()
        state.withLock { state in
            var claims = state.claims[attempt] ?? Claims(usedAt: now)
            if claims.digests.updateValue(size, forKey: digest) == nil { claims.bytes += size }
            claims.usedAt = now
            state.claims[attempt] = claims
        }
    }

    func isClaimed(_ digest: String, by attempt: AttemptID) -> Bool {
        state.withLock { $0.claims[attempt]?.digests[digest] != nil }
    }

    // MARK: Sweep

    /// Removes rows whose time has come, content that no row names, and uploads that do not go on. Returns how many contents went.
    @discardableResult
    package func sweep() async throws -> Int {
        let now = clock()
        // In pieces, so that no transaction is long.
        while try await repository.expireArtifacts(at: now, limit: 1_000) == 1_000 {}
        let before = (now - configuration.graceMs) / 1000
        state.withLock { state in
            state.claims = state.claims.filter { $0.value.usedAt > now - configuration.graceMs }
        }
        let files = self.files
        let old = try await blocking {
            files.dropPartials(before: before)
            var old: [(digest: String, size: UInt64)] = []
            try files.eachObject { digest, size, time in if time < before { old.append((digest, size)) } }
            return old
        }
        var removed = 0
        for (digest, size) in old {
            let isGone = try await locks.run(digest) { try await self.removeIfUnused(digest, before: before) }
            guard isGone else { continue }
            removed += 1
            state.withLock { $0.bytes -= min($0.bytes, size) }
        }
        if removed > 0 { logger.info("artifact content removed", metadata: ["count": "\(removed)"]) }
        return removed
    }

    /// Under the content's lock: nobody can begin to rely on it meanwhile.
    private func removeIfUnused(_ digest: String, before: Int64) async throws -> Bool {
        guard try await !repository.isArtifactReferenced(sha256: digest) else { return false }
        let files = self.files
        return try await blocking {
            guard let time = files.time(digest), time < before else { return false }
            try files.remove(digest)
            return true
        }
    }
}
