/// Places at which fault tests end the process.
package enum OutboxCheckpoint: String, Sendable, CaseIterable {
    /// What is to be sent is durable, and nothing of it was sent.
    case derived = "outbox_derived"
    /// The other side has answered, and that is not noted.
    case sent = "outbox_sent"
}

/// The durable side of what is sent to other servers.
package protocol NoticeOutbox: ForgeStatusReporting {
    /// Runs with events behind the cursor, at most so many events; `nil` where there are none.
    func outboxBatch(limit: Int) async throws -> OutboxBatch?
    /// Writes, and moves the cursor from `from` to `through`. Does nothing where the cursor stands elsewhere.
    func apply(_ writes: OutboxWrites, from: Int64, through: Int64, now: Int64) async throws
    /// Rules and targets of all projects, for a notice that no run gives.
    func routing() async throws -> OutboxBatch
    /// Writes without moving the cursor.
    func add(_ writes: OutboxWrites, now: Int64) async throws

    /// Statuses that are due, the longest due first, with their connections.
    func dueStatuses(now: Int64, limit: Int) async throws -> [DueStatus]
    /// Notes what a try came to. Where a newer status has come meanwhile, that one stays due.
    func settle(_ due: DueStatus, _ delivery: DeliveryLifecycle, now: Int64) async throws
    /// Deliveries that are due, of each target only its oldest that waits: order is kept.
    func dueDeliveries(now: Int64, limit: Int) async throws -> [DueDelivery]
    func settle(_ due: DueDelivery, _ delivery: DeliveryLifecycle, answer: Int?, now: Int64) async throws
    /// Forgets what is long over, and bounds what waits.
    func sweepOutbox(now: Int64) async throws
}

package struct DueStatus: Equatable, Sendable {
    package var connection: ForgeConnection
    package var status: CommitStatus
    package var delivery: DeliveryLifecycle

    package init(connection: ForgeConnection, status: CommitStatus, delivery: DeliveryLifecycle) {
        self.connection = connection
        self.status = status
        self.delivery = delivery
    }
}

package struct DueDelivery: Equatable, Sendable {
    package var id: Int64
    package var target: NotificationTarget
    package var notice: Notice
    package var delivery: DeliveryLifecycle
    package var createdAt: Int64

    package init(
        id: Int64, target: NotificationTarget, notice: Notice, delivery: DeliveryLifecycle, createdAt: Int64
    ) {
        self.id = id
        self.target = target
        self.notice = notice
        self.delivery = delivery
        self.createdAt = createdAt
    }
}
