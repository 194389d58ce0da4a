/// A gate before a job: somebody must say yes.
package struct ApprovalPlan: Codable, Equatable, Sendable {
    /// Roles of which the approver must have one, or a higher one; empty for whoever may start runs.
    package var by: [Role]
    /// What the approver gives; the job sees it as it sees the run's inputs. Values are `nil` in the plan.
    package var inputs: [InputPlan]
    /// From the job's becoming ready, in milliseconds of the engine's clock.
    package var expiresMs: UInt64
    /// What is asked, for people.
    package var message: String?

    package enum Role: String, Codable, Sendable, CaseIterable {
        case developer, maintainer, owner
    }

    package init(
        by: [Role] = [], inputs: [InputPlan] = [], expiresMs: UInt64 = PlanLimits.approvalMsDefault,
        message: String? = nil
    ) {
        self.by = by
        self.inputs = inputs
        self.expiresMs = expiresMs
        self.message = message
    }

    enum CodingKeys: String, CodingKey {
        case by, inputs, message
        case expiresMs = "expires_ms"
    }
}
