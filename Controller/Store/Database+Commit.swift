package import ControllerCore
import GRDB
import Synchronization

extension Database: EngineStore {
    package func commit(_ batch: CommitBatch) async throws(CommitFailure) {
        let plans: [(RunID, [UInt8])]
        do {
            plans = try batch.plans.map { ($0.key, try StoredJSON.bytes($0.value)) }
        } catch {
            throw .refused("A plan can't be encoded: \(error)")
        }
        let began = ContinuousClock.now
        defer { commitTimes.note(ContinuousClock.now - began) }
        let result: Result<Void, CommitFailure> = await withCheckedContinuation { [pool, stamps, audit] continuation in
            pool.asyncWriteWithoutTransaction { db in
                let result: Result<Void, CommitFailure>
                let waiting = audit.take()
                do {
                    try Self.transaction(db) {
                        try BatchWriter(db: $0, batch: batch).write(plans)
                        try AuditWriter.append(waiting.map(\.entry), $0)
                    }
                    stamps.committed(batch)
                    for one in waiting { one.done(.success(())) }
                    result = .success(())
                } catch {
                    result = .failure(CommitFailure(stopping: error))
                    // They are no part of what failed.
                    let told: Result<Void, any Error> = Result {
                        try Self.transaction(db) { try AuditWriter.append(waiting.map(\.entry), $0) }
                    }
                    for one in waiting { one.done(told) }
                }
                continuation.resume(returning: result)
            }
        }
        try result.get()
    }
}

extension Stamps {
    /// On the writer, behind the commit: who sees the new number reads at least this commit.
    fileprivate func committed(_ batch: CommitBatch) {
        let agentsOnly =
            batch.runs.isEmpty && batch.jobs.isEmpty && batch.jobAttempts.isEmpty && batch.steps.isEmpty
            && batch.attempts.isEmpty && batch.approvals.isEmpty && batch.events.isEmpty
        if !agentsOnly { runs.add(1, ordering: .releasing) }
        if !batch.agents.isEmpty { agents.add(1, ordering: .releasing) }
    }
}
