package import AnsFlowProtocol
package import ControllerCore
import Synchronization

// What agents send and ask for.
extension ArtifactStore: AgentArtifacts {
    /// Bytes that are written at once.
    private static let pieceBytes = 1 << 20

    package func status(
        of digest: String, size: UInt64, attempt: AttemptID, agent: AgentID
    ) async throws(ArtifactRefusal) -> UploadStatus {
        let holder = try await holder(attempt, agent)
        try checkSize(size, holder)
        if try await isUsable(digest, size: size, holder) { return UploadStatus(offset: size, complete: true) }
        return UploadStatus(offset: min(files.partialSize(digest, owner: agent.rawValue), size), complete: false)
    }

    package func upload(
        _ digest: String, size: UInt64, offset: UInt64, attempt: AttemptID, agent: AgentID,
        next: () async throws -> [UInt8]?
    ) async throws(ArtifactRefusal) -> UploadStatus {
        let holder = try await holder(attempt, agent)
        try checkSize(size, holder)
        if try await isUsable(digest, size: size, holder) { return UploadStatus(offset: size, complete: true) }
        try checkRoom(size)
        let name = "\(agent)-\(digest)"
        guard state.withLock({ $0.busy.insert(name).inserted }) else {
            throw ArtifactRefusal(.busy, "Another step of this agent sends the same content at the moment.")
        }
        defer { state.withLock { _ = $0.busy.remove(name) } }
        do {
            let files = self.files
            let partial = try await blocking { try files.resume(digest, owner: agent.rawValue) }
            guard partial.length == offset else {
                guard partial.length <= size else {
                    files.dropPartial(digest, owner: agent.rawValue)
                    throw ArtifactRefusal(.offset(0), "The upload begins anew.")
                }
                throw ArtifactRefusal(.offset(partial.length), "The upload goes on at byte \(partial.length).")
            }
            try await receive(into: partial, size: size, next)
            guard partial.length == size else { return UploadStatus(offset: partial.length, complete: false) }
            try await complete(partial, digest, size: size, owner: agent.rawValue)
        } catch let refusal as ArtifactRefusal {
            throw refusal
        } catch {
            throw unavailable(error)
        }
        claim(digest, size: size, attempt)
        return UploadStatus(offset: size, complete: true)
    }

    /// Writes what comes. Where the connection breaks, what came before is kept.
    private func receive(into partial: PartialContent, size: UInt64, _ next: () async throws -> [UInt8]?) async throws {
        var piece: [UInt8] = []
        var failure: (any Error)?
        while true {
            var more: [UInt8]?
            do { more = try await next() } catch { failure = error }
            if let more { piece += more }
            guard partial.length + UInt64(piece.count) <= size else {
                throw ArtifactRefusal(.tooLarge, "More bytes came than were announced.")
            }
            if piece.count >= Self.pieceBytes || (more == nil && !piece.isEmpty) {
                let whole = piece
                try await blocking { try partial.append(whole) }
                piece.removeAll(keepingCapacity: true)
            }
            if more == nil { break }
        }
        if failure != nil { throw ArtifactRefusal(.offset(partial.length), "The connection broke.") }
    }

    private func complete(_ partial: PartialContent, _ digest: String, size: UInt64, owner: Int64) async throws {
        let files = self.files
        let isNew = try await locks.run(digest) {
            try await blocking {
                guard partial.digest == digest else {
                    files.dropPartial(digest, owner: owner)
                    throw ArtifactRefusal(
                        .mismatch, "What came does not have the SHA-256 that was announced: the file changed meanwhile."
                    )
                }
                if files.size(digest) == size, files.touch(digest) {
                    files.dropPartial(digest, owner: owner)
                    return false
                }
                try files.adopt(partial, digest, owner: owner)
                return true
            }
        }
        if isNew { state.withLock { $0.bytes += size } }
    }

    package func publish(
        _ manifest: ArtifactManifest, attempt: AttemptID, agent: AgentID
    ) async throws(ArtifactRefusal) -> ArtifactReceipt {
        let holder = try await holder(attempt, agent)
        var bytes: UInt64 = 0
        for file in manifest.files { bytes += min(file.size, configuration.fileBytesMax) }
        guard bytes <= configuration.jobBytesMax else { throw tooMuch(bytes) }
        let contents =
            manifest.files.map { ($0.sha256, $0.size) } + manifest.reports.map { ($0.sha256, $0.size) }
        for (digest, size) in contents {
            guard try await isUsable(digest, size: size, holder) else {
                throw ArtifactRefusal(.incomplete, "The content \(digest) was not sent.")
            }
        }
        let now = clock()
        let entries = manifest.files.map { file in
            let keep = min(
                max(file.keepMs ?? configuration.keepMsDefault, configuration.keepMsMin), configuration.keepMsMax)
            return ArtifactEntry(
                path: file.path, sha256: file.sha256, size: file.size, executable: file.executable,
                expiresAt: now + Int64(keep))
        }
        let reports = try await read(manifest.reports)
        let isWritten: Bool
        do {
            isWritten = try await repository.publishArtifacts(entries, reports: reports, of: holder, at: now)
        } catch {
            throw unavailable(error)
        }
        guard isWritten else { throw ArtifactRefusal(.notLive, "This attempt has ended meanwhile.") }
        state.withLock { $0.claims[attempt] = nil }
        return ArtifactReceipt(notes: reports.map(Self.note))
    }

    package func listing(
        job: String, attempt: AttemptID, agent: AgentID
    ) async throws(ArtifactRefusal) -> ArtifactListing {
        let holder = try await holder(attempt, agent)
        do {
            let rows = try await repository.artifacts(of: holder.run, job: job)
            return ArtifactListing(
                files: rows.map {
                    ArtifactManifest.File(path: $0.path, size: $0.size, sha256: $0.sha256, executable: $0.executable)
                })
        } catch {
            throw unavailable(error)
        }
    }

    package func content(
        _ digest: String, attempt: AttemptID, agent: AgentID
    ) async throws(ArtifactRefusal) -> any ArtifactContent {
        let holder = try await holder(attempt, agent)
        do {
            // Content of other projects is not to be had by guessing digests.
            if try await repository.hasArtifact(sha256: digest, in: holder.project), let open = try await open(digest) {
                return open
            }
        } catch {
            throw unavailable(error)
        }
        throw ArtifactRefusal(.notFound, "The controller does not hold this file any more.")
    }

    // MARK: Checks

    /// Whether the content is whole and the attempt may name it: it sent it, or its project has it already. Knowing a digest
    /// alone gives nobody another project's file. What is usable is safe from the next sweep.
    private func isUsable(_ digest: String, size: UInt64, _ holder: ArtifactHolder) async throws(ArtifactRefusal)
        -> Bool
    {
        do {
            return try await locks.run(digest) {
                let files = self.files
                guard try await blocking({ files.size(digest) == size && files.touch(digest) }) else { return false }
                if isClaimed(digest, by: holder.attempt) { return true }
                guard try await repository.hasArtifact(sha256: digest, in: holder.project) else { return false }
                claim(digest, size: size, holder.attempt)
                return true
            }
        } catch {
            throw unavailable(error)
        }
    }

    private func checkSize(_ size: UInt64, _ holder: ArtifactHolder) throws(ArtifactRefusal) {
        guard size <= configuration.fileBytesMax else {
            throw ArtifactRefusal(
                .tooLarge, "A file has \(size) bytes; at most \(configuration.fileBytesMax) are allowed.")
        }
        let bytes = state.withLock { $0.claims[holder.attempt]?.bytes ?? 0 }
        guard bytes + size <= configuration.jobBytesMax else { throw tooMuch(bytes + size) }
    }

    private func checkRoom(_ size: UInt64) throws(ArtifactRefusal) {
        if let shortage = shortage() { throw ArtifactRefusal(.full, shortage) }
        guard storedBytes + size <= configuration.storeBytesMax else {
            throw ArtifactRefusal(
                .full,
                "The artifact store is full: it holds \(storedBytes) of \(configuration.storeBytesMax) bytes. Keep less, or for a shorter time."
            )
        }
    }

    private func tooMuch(_ bytes: UInt64) -> ArtifactRefusal {
        ArtifactRefusal(
            .tooLarge, "The job keeps \(bytes) bytes; at most \(configuration.jobBytesMax) are allowed.")
    }

    // MARK: Reports

    /// A report that can't be read costs itself only, and says why.
    private func read(_ reports: [ArtifactManifest.Report]) async throws(ArtifactRefusal) -> [TestReport] {
        var parsed: [TestReport] = []
        var left = configuration.testsMax
        for report in reports {
            do {
                guard let content = try await open(report.sha256) else {
                    throw ArtifactRefusal(.incomplete, "The content \(report.sha256) was not sent.")
                }
                let bytes = try await content.read(at: 0, count: Int(min(content.size, ArtifactLimits.reportBytesMax)))
                let room = left
                let (step, path) = (report.step, report.path)
                let result = try await blocking {
                    var limits = JUnitReport.Limits()
                    limits.testsMax = room
                    return JUnitReport.read(bytes, step: step, path: path, limits: limits)
                }
                left -= result.results.count
                parsed.append(result)
            } catch let refusal as ArtifactRefusal {
                throw refusal
            } catch {
                throw unavailable(error)
            }
        }
        return parsed
    }

    private static func note(_ report: TestReport) -> String {
        let bad = report.results.count { $0.outcome == .failed || $0.outcome == .error }
        let skipped = report.results.count { $0.outcome == .skipped }
        var text = "\(report.path): \(report.results.count) tests, \(bad) failed, \(skipped) skipped."
        if let fault = report.fault { text += " \(fault)" }
        return text
    }
}
