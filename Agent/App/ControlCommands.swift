import AgentExec
import ArgumentParser

struct DrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "Lets the running agent finish its jobs and leave.",
        discussion: """
            The agent takes no new job, goes on with those that have begun, and ends when the controller holds the end of the last.

              ansflow-agent drain --data-dir /var/lib/ansflow-agent
            """)

    @OptionGroup var data: DataDirectoryOption
    @Flag(name: .customLong("no-wait"), help: "Return at once instead of waiting for the agent to leave.") var noWait =
        false

    func run() throws {
        do {
            _ = try ControlSocket.ask("drain", AgentPaths(root: data.absolute), untilEnd: !noWait)
            Terminal.out(noWait ? "The agent drains." : "The agent has left.")
        } catch {
            Terminal.error("ansflow-agent: \(error)")
            throw ExitCode(1)
        }
    }
}

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows what the running agent is about.",
        discussion: """
              ansflow-agent status --data-dir /var/lib/ansflow-agent
              ansflow-agent status --data-dir /var/lib/ansflow-agent --json
            """)

    @OptionGroup var data: DataDirectoryOption
    @Flag(help: "One JSON object.") var json = false

    func run() throws {
        do {
            let answer = try ControlSocket.ask("status", AgentPaths(root: data.absolute), untilEnd: false)
            Terminal.out(json ? String(answer.prefix { $0 != "\n" }) : Self.readable(answer))
        } catch {
            Terminal.error("ansflow-agent: \(error)")
            throw ExitCode(1)
        }
    }

    /// The answer's few fields, one a line.
    private static func readable(_ answer: String) -> String {
        var lines: [String] = []
        for name in ["name", "version", "connected", "writable", "draining", "slots", "containment"] {
            guard let key = range(of: "\"\(name)\":", in: answer) else { continue }
            let value = answer[key...].prefix { $0 != "," && $0 != "}" }
            lines.append("\(name): \(value.filter { $0 != "\"" })")
        }
        let attempts = answer.split(separator: "{").dropFirst(2).map { $0.prefix { $0 != "}" } }
        lines.append(attempts.isEmpty ? "no attempts" : "attempts:")
        lines += attempts.map { "  " + $0.filter { $0 != "\"" }.split(separator: ",").joined(separator: "  ") }
        return lines.joined(separator: "\n")
    }

    private static func range(of key: String, in text: String) -> String.Index? {
        var rest = text[...]
        while !rest.isEmpty {
            if rest.hasPrefix(key) { return rest.index(rest.startIndex, offsetBy: key.count) }
            rest = rest.dropFirst()
        }
        return nil
    }
}
