import ControllerRealtime

/// What a viewer may say: `{"type":"subscribe","topic":"run:7","after":41,"logs":true}`, `unsubscribe`, `ping`. With `"only_those":true`
/// only the logs that `logs` names are sent.
enum LiveCommand: Sendable {
    case subscribe(Subscribe)
    case unsubscribe(Topic)
    case ping
    /// A sentence for the viewer.
    case wrong(String)

    init(_ text: [UInt8]) {
        guard let value = try? JSONParser.parse(text), case .object(let members) = value,
            case .string(let type)? = members["type"]
        else {
            self = .wrong("A message must be a JSON object with a `type`.")
            return
        }
        switch type {
        case "ping": self = .ping
        case "subscribe", "unsubscribe":
            guard case .string(let name)? = members["topic"], let topic = Topic(name) else {
                self = .wrong("`topic` must be `run:<id>`, `pipeline:<id>`, `project:<id>` or `system`.")
                return
            }
            self = type == "subscribe" ? Self.subscribe(topic, members) : .unsubscribe(topic)
        default: self = .wrong("`type` must be `subscribe`, `unsubscribe` or `ping`.")
        }
    }

    private static func subscribe(_ topic: Topic, _ members: [String: JSONValue]) -> LiveCommand {
        for name in members.keys where !["type", "topic", "after", "generation", "logs", "only_those"].contains(name) {
            return .wrong("The member `\(name)` is not known.")
        }
        var request = Subscribe(topic)
        for name in ["after", "generation"] {
            switch members[name] {
            case nil, .null?: break
            case .number(let number)?:
                guard let whole = Int64(exactly: number), whole >= 0 else {
                    return .wrong("`\(name)` must be a whole number.")
                }
                if name == "after" { request.after = whole } else { request.generation = whole }
            default: return .wrong("`\(name)` must be a whole number.")
            }
        }
        switch members["only_those"] {
        case nil, .null?: break
        case .bool(let flag)?: request.isOnlyThose = flag
        default:
            return .wrong("`only_those` must be true or false: whether no other logs than those of `logs` are sent.")
        }
        switch members["logs"] {
        case nil, .null?:
            if case .run = topic { request.wantsLogs = true }
        case .bool(let flag)?: request.wantsLogs = flag
        case let value?:
            guard let lines = lines(value) else {
                return .wrong("`logs` must be true, false, or an object such as {\"build/test/1\": 120}.")
            }
            request.wantsLogs = true
            request.logs = lines
        }
        return .subscribe(request)
    }

    /// First lines by `job/step/attempt`.
    static func lines(_ value: JSONValue) -> [String: UInt64]? {
        guard case .object(let members) = value, members.count <= 1000 else { return nil }
        var lines: [String: UInt64] = [:]
        for (key, value) in members {
            guard case .number(let number) = value, let line = UInt64(exactly: number) else { return nil }
            lines[key] = line
        }
        return lines
    }
}
