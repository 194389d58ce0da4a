package import AgentCore
package import AgentShimCore
import AnsFlowProtocol

extension AttemptEnding {
    /// What a shim's exit record means to the controller.
    package init(_ record: ExitRecord, outputs: [String: String] = [:], complaint: String? = nil) {
        let (result, cause): (AttemptResult, Cause) =
            switch record.ending {
            case .exited(0): (.success, .exit)
            case .exited: (.failed, .exit)
            case .signalled: (.failed, .signal)
            case .startFailed: (.error, .startFailed)
            case .stopped(.timeout), .timedOut: (.timedOut, .timeout)
            case .stopped(.cancel), .stopped(.ended): (.cancelled, .cancelledByUser)
            case .stopped(.superseded): (.cancelled, .superseded)
            case .stopped(.revoked): (.cancelled, .agentRevoked)
            case .outOfMemory: (.failed, .oom)
            case .lost: (.lost, .agentLost)
            }
        let usage = Usage(
            cpuUserMs: record.usage.cpuUserMs, cpuSystemMs: record.usage.cpuSystemMs,
            memoryPeakBytes: record.usage.memoryPeakBytes, wallMs: record.usage.wallMs)
        self.init(
            result: result, cause: record.unkillable ? .unkillable : cause, exitCode: record.exitCode,
            signal: record.signal, message: record.message.isEmpty ? complaint : record.message, usage: usage,
            total: record.spooled, dropped: record.dropped, outputs: outputs)
    }
}

extension ShimStopReason {
    init(_ reason: StopReason) {
        self =
            switch reason {
            case .cancel: .cancel
            case .timeout: .timeout
            case .revoked: .revoked
            case .superseded: .superseded
            case .ended: .ended
            }
    }
}
