import AgentCore
import AnsFlowProtocol
package import NIOCore

extension AgentRuntime {
    /// Opens the control socket. To be closed by the caller.
    package func serveControl() async throws -> any Channel {
        try await ControlSocket.listen(directory.paths, loop: loop) { [weak self] request in
            guard let self else { return #"{"error":"the agent is leaving"}"# }
            switch request {
            case "status": return status
            case "drain":
                feed(.drain)
                return #"{"draining":true}"#
            default: return #"{"error":"unknown request"}"#
            }
        }
    }

    /// What the agent is about, as one line of JSON.
    private var status: String {
        let attempts = machine.attempts.map { attempt in
            "{\"attempt\":\(attempt.attempt),\"job_attempt\":\(attempt.jobAttempt),\"state\":\"\(attempt.state.rawValue)\","
                + "\"spooled\":\(attempt.spooled),\"acknowledged\":\(attempt.acknowledged)}"
        }
        let connected = machine.link.ready != nil
        return
            "{\"name\":\(JSONText.quoted(settings.agentName)),\"version\":\(JSONText.quoted(machine.profile.version)),"
            + "\"connected\":\(connected),\"writable\":\(machine.isWritable),\"draining\":\(machine.isDraining),"
            + "\"slots\":\(machine.profile.slots),\"containment\":\"\(machine.profile.containment.rawValue)\","
            + "\"attempts\":[\(attempts.joined(separator: ","))]}"
    }
}

/// Texts in JSON, for the few lines that the agent writes itself.
package enum JSONText {
    package static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case _ where scalar.value < 32:
                let hex = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
