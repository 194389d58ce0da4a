/// A group of runs or jobs of one project of which only so many go on at a time.
package struct ConcurrencyPlan: Codable, Equatable, Hashable, Sendable {
    package enum Order: String, Codable, Sendable, CaseIterable {
        /// The older run goes first, even where a younger one was ready before it.
        case created
        /// Whoever became ready first.
        case ready
    }

    package enum OnNew: String, Codable, Sendable, CaseIterable {
        case queue
        /// The new one takes the place of those that wait: they end as cancelled with cause `superseded`.
        case cancelPending = "cancel_pending"
        /// As well of those that run.
        case cancelRunning = "cancel_running"
    }

    /// The group's name with everything filled in. Runs and jobs of one project share it.
    package var group: String
    package var limit: Int
    package var order: Order
    package var onNew: OnNew

    package init(group: String, limit: Int = 1, order: Order = .created, onNew: OnNew = .queue) {
        self.group = group
        self.limit = limit
        self.order = order
        self.onNew = onNew
    }

    enum CodingKeys: String, CodingKey {
        case group, limit, order
        case onNew = "on_new"
    }
}
