/// What a pipeline's own definition asks for: `notify: [{on: [failed, fixed], to: {webhook: team-chat}}]`.
package struct NotifyPlan: Codable, Equatable, Sendable {
    /// Of one definition.
    package static let countMax = 10

    /// What a definition can name: what runs give.
    package static let events: [NoticeEvent] = [.failed, .fixed, .always, .waitingForApproval, .agentLost]

    package var on: [NoticeEvent]
    /// The name of a notification target of the project.
    package var webhook: String

    package init(on: [NoticeEvent], webhook: String) {
        self.on = on
        self.webhook = webhook
    }
}
