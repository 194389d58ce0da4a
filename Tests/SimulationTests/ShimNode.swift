import AgentCore
import AgentShimCore
import AnsFlowProtocol

/// One shim with its step on a simulated host: the real life cycle, and a disk and processes that are values.
struct ShimNode {
    var attempt: AttemptID
    var jobAttempt: JobAttemptID
    var life: ShimLifecycle
    var script: StepScript
    /// The shim's process; false after kill -9.
    var alive = true
    /// Given START.
    var handed = false
    var spool: [UInt8] = []
    /// Behind the last chunk that the program wrote.
    var nextChunk = 0
    var mainAlive = false
    var childAlive = false
    var startNumber = 0
    var started = false
    var record: AttemptEnding?

    init(attempt: AttemptID, jobAttempt: JobAttemptID, script: StepScript, now: UInt64) {
        self.attempt = attempt
        self.jobAttempt = jobAttempt
        self.script = script
        life = ShimLifecycle(now: now)
        life.agentCame()
    }

    var treeEmpty: Bool { !mainAlive && !childAlive }

    /// How the record says that the attempt ended.
    func ending(_ ending: Ending, unkillable: Bool) -> AttemptEnding {
        let total = UInt64(spool.count)
        func end(_ result: AttemptResult, _ cause: Cause, exit: Int32? = nil) -> AttemptEnding {
            AttemptEnding(
                result: result, cause: unkillable ? .unkillable : cause, exitCode: exit, total: total, dropped: 0)
        }
        switch ending {
        case .exited(0): return end(.success, .exit, exit: 0)
        case .exited(let code): return end(.failed, .exit, exit: code)
        case .signalled: return end(.failed, .signal)
        case .startFailed: return end(.error, .startFailed)
        case .stopped(.timeout): return end(.timedOut, .timeout)
        case .stopped: return end(.cancelled, .cancelledByUser)
        case .timedOut: return end(.timedOut, .timeout)
        case .outOfMemory: return end(.failed, .oom)
        case .lost: return end(.lost, .agentLost)
        }
    }
}
