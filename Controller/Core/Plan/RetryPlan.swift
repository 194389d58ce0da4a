/// When what has failed is tried again. On a step it repeats the step in its workspace, on a job the whole job on any agent.
package struct RetryPlan: Codable, Equatable, Hashable, Sendable {
    package enum Reason: String, Codable, Sendable, CaseIterable {
        /// It exited with one of ``RetryPlan/exitCodes``, or with any but 0 where there are none; or a signal ended it.
        case exit
        case timeout
        case oom
        /// Its agent, or the agent's host, was lost with it; of jobs only.
        case agentLost = "agent_lost"
    }

    /// Repetitions beyond the first attempt; 1 to ``PlanLimits/retriesMax``.
    package var max: Int
    package var on: [Reason]
    /// For ``Reason/exit``; empty for every code but 0.
    package var exitCodes: [Int32]
    /// Before the first repetition, in milliseconds; doubled for each further one, up to ``PlanLimits/backoffMsMax``.
    package var backoffMs: UInt64

    package init(max: Int, on: [Reason] = [.exit], exitCodes: [Int32] = [], backoffMs: UInt64 = 0) {
        self.max = max
        self.on = on
        self.exitCodes = exitCodes
        self.backoffMs = backoffMs
    }

    /// How long to wait before repetition `number`, counted from 1, in milliseconds.
    package func delayMs(before number: Int) -> UInt64 {
        guard backoffMs > 0, number > 0 else { return 0 }
        let factor = UInt64(1) << UInt64(min(number - 1, 20))
        let (delay, overflow) = backoffMs.multipliedReportingOverflow(by: factor)
        return overflow ? PlanLimits.backoffMsMax : min(delay, PlanLimits.backoffMsMax)
    }

    enum CodingKeys: String, CodingKey {
        case max, on
        case exitCodes = "exit_codes"
        case backoffMs = "backoff_ms"
    }
}
