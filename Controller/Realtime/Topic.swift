package import AnsFlowProtocol
package import ControllerCore

/// What a viewer can watch.
package enum Topic: Hashable, Sendable, CustomStringConvertible {
    case run(RunID)
    case pipeline(PipelineID)
    /// All runs of a project; without log lines.
    case project(ProjectID)
    case system

    /// Reads `run:7`, `pipeline:3`, `project:2`, `system`.
    package init?(_ text: String) {
        if text == "system" {
            self = .system
            return
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let id = Int64(parts[1]),
            id > 0
        else { return nil }
        switch parts[0] {
        case "run": self = .run(RunID(id))
        case "pipeline": self = .pipeline(PipelineID(id))
        case "project": self = .project(ProjectID(id))
        default: return nil
        }
    }

    package var description: String {
        switch self {
        case .run(let id): "run:\(id)"
        case .pipeline(let id): "pipeline:\(id)"
        case .project(let id): "project:\(id)"
        case .system: "system"
        }
    }
}

/// What a viewer asks for when it subscribes.
package struct Subscribe: Sendable {
    package var topic: Topic
    /// The last number that the viewer has; nil for a snapshot.
    package var after: Int64?
    /// The generation that `after` belongs to, where the viewer says it.
    package var generation: Int64?
    package var wantsLogs: Bool
    /// `job/step/attempt` to the first line wanted.
    package var logs: [String: UInt64]
    /// Whether no other logs than those of ``logs`` are followed.
    package var isOnlyThose = false

    package init(
        _ topic: Topic, after: Int64? = nil, generation: Int64? = nil, wantsLogs: Bool = false,
        logs: [String: UInt64] = [:]
    ) {
        self.topic = topic
        self.after = after
        self.generation = generation
        if case .project = topic { self.wantsLogs = false } else { self.wantsLogs = wantsLogs }
        self.logs = logs
    }
}

/// An attempt whose log viewers of a run or pipeline may follow.
package struct LogSource: Equatable, Sendable {
    package var run: RunID
    package var pipeline: PipelineID
    package var attempt: AttemptID
    /// `job/step`.
    package var step: String
    /// The attempt's number, from 1.
    package var number: Int
    package var finished: Bool

    package init(run: RunID, pipeline: PipelineID, attempt: AttemptID, step: String, number: Int, finished: Bool) {
        self.run = run
        self.pipeline = pipeline
        self.attempt = attempt
        self.step = step
        self.number = number
        self.finished = finished
    }

    /// The name of its cursor: `job/step/attempt`.
    package var key: String { "\(step)/\(number)" }
}

/// A topic's state with the number of the last event in it.
package struct TopicSnapshot: Sendable {
    package var seq: Int64
    package var generation: Int64
    /// A JSON object's members without the braces, such as `"run":{...}`.
    package var members: [UInt8]
    package var sources: [LogSource]

    package init(seq: Int64, generation: Int64, members: [UInt8], sources: [LogSource]) {
        self.seq = seq
        self.generation = generation
        self.members = members
        self.sources = sources
    }
}

/// Where the hub reads from. Calls may be slow; none is made on an event loop.
package protocol TopicReading: Sendable {
    /// Nil where the topic's run or pipeline does not exist.
    ///
    /// - Parameter visible: only what belongs to these projects is in it.
    func snapshot(_ topic: Topic, visible: Visibility) async throws -> TopicSnapshot?
    func generation() async throws -> Int64
    /// Number of the topic's last event.
    func lastNumber(_ topic: Topic) async throws -> Int64
    /// Events above `after`, in order.
    func events(_ topic: Topic, after: Int64, limit: Int) async throws -> [EventRow]
    func sources(of topic: Topic, visible: Visibility) async throws -> [LogSource]
}
