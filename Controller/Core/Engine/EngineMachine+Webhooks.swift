import AnsFlowProtocol

// Deliveries of webhooks that were judged.
extension EngineMachine {
    /// Makes the runs of a delivery and marks it judged, all in the group's transaction: a crash leaves either all of it or nothing.
    ///
    /// - Returns: the judgement with the runs' ids.
    package mutating func judge(_ end: DeliveryEnd) -> Result<DeliveryJudgement, CommandFailure> {
        let wanted = end.wishes.count { $0.request != nil }
        guard runs.count + wanted <= EngineLimits.activeRunsMax, idempotency.count < EngineLimits.idempotencyKeysMax
        else { return .failure(.overloaded) }
        guard !newJudgements.contains(where: { $0.delivery == end.delivery }) else {
            return .failure(.conflict("the delivery \(end.delivery) is being judged already"))
        }
        var judgement = DeliveryJudgement(
            delivery: end.delivery, message: end.message, heads: end.heads, at: now)
        for wish in end.wishes {
            var verdict = wish.verdict
            if let request = wish.request {
                switch createRun(request) {
                case .success(let run): verdict.run = run.id
                case .failure:
                    verdict.outcome = .failed
                    verdict.message = "The engine took no run of it."
                }
            }
            judgement.verdicts.append(verdict)
        }
        newJudgements.append(judgement)
        return .success(judgement)
    }
}

extension Engine {
    /// - Throws: ``CommandFailure/notWritable(_:)`` where nobody knows whether it was committed: read the delivery again.
    package func judge(_ end: DeliveryEnd) async throws(CommandFailure) -> DeliveryJudgement {
        try await submit { $0.judge(end) }.get()
    }
}
