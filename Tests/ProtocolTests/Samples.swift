import AnsFlowProtocol
import Testing

/// One message of every kind with its bytes.
enum Samples {
    struct Agent: Sendable, CustomTestStringConvertible {
        var message: AgentMessage
        var text: String
        var testDescription: String { String(text.prefix(60)) }
    }

    struct Controller: Sendable, CustomTestStringConvertible {
        var message: ControllerMessage
        var text: String
        var testDescription: String { String(text.prefix(60)) }
    }

    static let hello = Hello(
        version: "0.1.0", processNonce: "nonce", bootID: "boot", storeID: "store", highestAttemptSeen: AttemptID(41),
        containment: .bestEffort, slots: 2, labels: ["os": "linux"],
        attempts: [Hello.Known(attempt: AttemptID(41), state: .neverStarted, spooled: 9)])

    static let finish = Finish(
        attempt: AttemptID(7), result: .timedOut, cause: .timeout, exitCode: nil, signal: 15, message: "too slow",
        usage: Usage(cpuUserMs: 1, cpuSystemMs: 2, memoryPeakBytes: 3, wallMs: 4),
        log: LogEnd(attempt: AttemptID(7), total: 10, sha256: nil, dropped: 0), outputs: ["k": "v"])

    static let spec = StepSpec(
        jobAttempt: JobAttemptID(5), title: "p/j/s", action: .run(commands: ["make"], shell: .bash),
        environment: ["A": "1"], timeoutMs: 3_600_000)

    static let agentMessages: [Agent] = [
        Agent(
            message: .hello(hello),
            text: #"{"attempts":[{"attempt":41,"spooled":9,"state":"never_started"}],"boot_id":"boot","#
                + #""containment":"best_effort","draining":false,"highest_attempt_seen":41,"labels":{"os":"linux"},"#
                + #""process_nonce":"nonce","proto_max":1,"proto_min":1,"slots":2,"store_id":"store","type":"hello","#
                + #""version":"0.1.0"}"#),
        Agent(message: .started(AttemptID(7)), text: #"{"attempt":7,"type":"started"}"#),
        Agent(
            message: .declined(AttemptID(7), reason: "full"), text: #"{"attempt":7,"reason":"full","type":"declined"}"#),
        Agent(
            message: .gap(AttemptID(7), offset: 10, length: 5, reason: "power"),
            text: #"{"attempt":7,"length":5,"offset":10,"reason":"power","type":"gap"}"#),
        Agent(
            message: .eof(LogEnd(attempt: AttemptID(7), total: 10, sha256: nil, dropped: 3)),
            text: #"{"attempt":7,"dropped":3,"total":10,"type":"eof"}"#),
        Agent(
            message: .finish(finish),
            text: #"{"attempt":7,"cause":"timeout","log":{"attempt":7,"dropped":0,"total":10},"message":"too slow","#
                + #""outputs":{"k":"v"},"result":"timed_out","signal":15,"type":"finish","#
                + #""usage":{"cpu_system_ms":2,"cpu_user_ms":1,"memory_peak_bytes":3,"wall_ms":4}}"#),
        Agent(
            message: .heartbeat(AgentHeartbeat(nowMs: 1, load: 0.5, diskFreeBytes: 2)),
            text: #"{"disk_free_bytes":2,"load":0.5,"now_ms":1,"type":"heartbeat"}"#),
    ]

    static let controllerMessages: [Controller] = [
        Controller(
            message: .welcome(
                Welcome(
                    proto: 1, generation: 2, agent: AgentID(3),
                    verdicts: [Welcome.Entry(attempt: AttemptID(41), verdict: .proceed, logNext: 8)], writable: true)),
            text: #"{"agent":3,"generation":2,"proto":1,"type":"welcome","#
                + #""verdicts":[{"attempt":41,"log_next":8,"verdict":"continue"}],"writable":true}"#),
        Controller(
            message: .start(Start(attempt: AttemptID(7), spec: spec, secrets: ["T": "s"])),
            text: #"{"attempt":7,"secrets":{"T":"s"},"spec":{"action":{"run":{"commands":["make"],"shell":"bash"}},"#
                + #""environment":{"A":"1"},"grace_ms":10000,"job_attempt":5,"log_limit_bytes":104857600,"#
                + #""timeout_ms":3600000,"title":"p/j/s"},"start_within_ms":60000,"type":"start"}"#),
        Controller(
            message: .stop(AttemptID(7), reason: .cancel, graceMs: 10_000),
            text: #"{"attempt":7,"grace_ms":10000,"reason":"cancel","type":"stop"}"#),
        Controller(
            message: .logAck(AttemptID(7), next: 10), text: #"{"attempt":7,"next":10,"type":"log_ack"}"#),
        Controller(
            message: .logResend(AttemptID(7), from: 0), text: #"{"attempt":7,"next":0,"type":"log_resend"}"#),
        Controller(message: .forget(AttemptID(7)), text: #"{"attempt":7,"type":"forget"}"#),
        Controller(message: .jobEnded(JobAttemptID(5)), text: #"{"job_attempt":5,"type":"job_ended"}"#),
        Controller(
            message: .heartbeat(ControllerHeartbeat(nowMs: 1, writable: false)),
            text: #"{"now_ms":1,"type":"heartbeat","writable":false}"#),
        Controller(message: .probe, text: #"{"type":"probe"}"#),
        Controller(message: .drain, text: #"{"type":"drain"}"#),
    ]
}
