import AgentExec
import Glibc
import Logging

/// Writes the agent's log to standard error: JSON lines for machines, short lines on a terminal.
struct AgentLog: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info
    private let isTerminal = isatty(2) == 1

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    static func make() -> Logger { Logger(label: "ansflow-agent") { _ in AgentLog() } }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        let text: String
        if isTerminal {
            let rest = all.map { " \($0.key)=\($0.value)" }.joined()
            text = "\(Self.clock(HostFacts.wallMs)) \(event.level): \(event.message)\(rest)"
        } else {
            let rest = all.map { ",\(JSONText.quoted($0.key)):\(JSONText.quoted("\($0.value)"))" }.joined()
            text =
                "{\"time\":\(HostFacts.wallMs),\"level\":\"\(event.level)\",\"message\":\(JSONText.quoted("\(event.message)"))\(rest)}"
        }
        Terminal.error(text)
    }

    private static func clock(_ milliseconds: Int64) -> String {
        var seconds = time_t(milliseconds / 1000)
        var parts = tm()
        localtime_r(&seconds, &parts)
        return [parts.tm_hour, parts.tm_min, parts.tm_sec].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
    }
}
