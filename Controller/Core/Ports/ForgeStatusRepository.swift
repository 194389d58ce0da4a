/// Tells forges what no run can tell.
package protocol ForgeStatusReporting: Sendable {
    /// A pipeline's filters rule an event out. A status that hinders nobody goes to the commit under the pipeline's context, so that a
    /// check that the forge asks for never waits for ever. It replaces nothing that a run has said. Durable on return.
    ///
    /// - Parameters:
    ///   - commit: 40 or 64 hexadecimal digits; of anything else nothing is said.
    ///   - why: A sentence.
    func ruledOut(pipeline: PipelineID, commit: String, why: String) async throws
}

/// Why a row of forges, targets or rules was not written.
package enum NoticeChange: Error, Equatable, Sendable {
    case noProject, noPipeline, noTarget
    case tooMany(Int)
    case nameTaken
    /// A rule uses the target.
    case inUse
}

/// A status as it is kept, with how far it got.
package struct CommitStatusView: Equatable, Sendable {
    package var status: CommitStatus
    package var delivery: DeliveryLifecycle
    package var updatedAt: Int64

    package init(status: CommitStatus, delivery: DeliveryLifecycle, updatedAt: Int64) {
        self.status = status
        self.delivery = delivery
        self.updatedAt = updatedAt
    }
}

/// Forge connections and what was reported through them. Each method is one transaction.
package protocol ForgeConnectionRepository: Sendable {
    /// By id.
    func forges(of project: ProjectID) async throws -> [ForgeConnection]
    func forge(_ id: Int64, of project: ProjectID) async throws -> ForgeConnection?
    /// Makes one where the id is 0, replaces one otherwise. The stored row comes back; `nil` where there is none of that id.
    ///
    /// - Throws: ``NoticeChange``.
    func save(_ connection: ForgeConnection) async throws -> ForgeConnection?
    /// With its statuses. False where there is none.
    func deleteForge(_ id: Int64, of project: ProjectID) async throws -> Bool
    /// Newest first. `page` counts from 1.
    func statuses(of connection: Int64, page: Int, perPage: Int) async throws -> Page<CommitStatusView>
}
