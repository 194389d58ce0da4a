package import AnsFlowProtocol
import Glibc

/// The variables of a step: a few of the host's, the agent's own facts, then what the pipeline says.
///
/// Nothing else of the agent's environment reaches a step, so no credential of the agent does.
package struct StepEnvironment: Sendable {
    private static let inherited = [
        "PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "SHELL", "SSL_CERT_FILE", "SSL_CERT_DIR",
    ]
    private static let defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    private let host: [String: String]

    /// - Parameter host: The agent's own environment.
    package init(host: [String: String]) {
        self.host = host.filter { Self.inherited.contains($0.key) || $0.key.hasPrefix("LC_") }
    }

    package static var ofThisProcess: StepEnvironment { StepEnvironment(host: valuesOfThisProcess) }

    package static var valuesOfThisProcess: [String: String] {
        var values: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let pair = String(cString: text)
            if let equals = pair.firstIndex(of: "=") {
                values[String(pair[..<equals])] = String(pair[pair.index(after: equals)...])
            }
            entry = entry.advanced(by: 1)
        }
        return values
    }

    /// - Returns: `NAME=value`, ordered by name.
    package func variables(
        for start: Start, paths: AgentPaths, agentName: String, containment: Hello.Containment
    ) -> [String] {
        let job = start.spec.jobAttempt.rawValue
        let attempt = start.attempt.rawValue
        var values = host
        values["PATH"] = values["PATH"] ?? Self.defaultPath
        values["HOME"] = values["HOME"] ?? paths.temporary(job)
        values["LANG"] = values["LANG"] ?? "C.UTF-8"
        values["TMPDIR"] = paths.temporary(job)
        values["CI"] = "true"
        values["ANSFLOW"] = "true"
        values["ANSFLOW_AGENT"] = agentName
        values["ANSFLOW_ATTEMPT"] = String(attempt)
        values["ANSFLOW_STEP"] = start.spec.title
        values["ANSFLOW_WORKSPACE"] = paths.source(job)
        values["ANSFLOW_CONTAINMENT"] = containment.rawValue
        values.merge(start.spec.environment) { _, own in own }
        values.merge(start.secrets) { _, secret in secret }
        values["ANSFLOW_OUTPUT"] = paths.output(job, attempt)
        return values.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    }
}
