package import AnsFlowProtocol

/// What a shim executes for a step.
package enum StepCommand {
    /// The most that Linux takes as one argument or variable, with its end.
    private static let argumentBytesMax = 128 * 1024 - 1
    /// Shows each text, then evaluates it in one shell, so that directory and variables carry over. The texts are arguments: nothing
    /// is quoted, and an error of syntax in one does not keep those before it from running.
    private static let script =
        #"for ansflow_command do set --; printf '$ %s\n' "$ansflow_command"; eval "$ansflow_command"; done"#

    package static let checkoutVariable = "ANSFLOW_CHECKOUT"
    package static let mirrorsVariable = "ANSFLOW_MIRRORS"
    /// The specification of a built-in step about artifacts, as JSON.
    package static let artifactsVariable = "ANSFLOW_ARTIFACTS"
    /// The agent's data directory, for built-in steps that speak to the controller. No other step gets it.
    package static let directoryVariable = "ANSFLOW_AGENT_DIRECTORY"
    package static let attemptVariable = "ANSFLOW_ATTEMPT_ID"

    /// - Parameter agentProgram: The agent's own program, which is also the built-in steps'.
    /// - Returns: Program and arguments.
    package static func arguments(for spec: StepSpec, agentProgram: String) -> [String] {
        switch spec.action {
        case .run(let commands, .sh): ["sh", "-ec", script, "sh"] + commands.map(withoutLastLineFeeds)
        case .run(let commands, .bash):
            ["bash", "-eo", "pipefail", "-c", script, "bash"] + commands.map(withoutLastLineFeeds)
        case .checkout: [agentProgram, "step-checkout"]
        case .storeArtifacts: [agentProgram, "step-store-artifacts"]
        case .fetchArtifacts: [agentProgram, "step-fetch-artifacts"]
        }
    }

    /// A block of YAML ends in a line feed, which would show as an empty line behind the command.
    private static func withoutLastLineFeeds(_ command: String) -> String {
        String(command.reversed().drop { $0.isNewline }.reversed())
    }

    /// Variables that the built-in step needs beside those of every step.
    package static func variables(
        for spec: StepSpec, attempt: AttemptID, paths: AgentPaths
    ) throws(WireError) -> [String] {
        if case .run = spec.action { return [] }
        var bare = spec
        bare.environment = [:]
        let text = String(decoding: try WireCodec.encodeSpec(bare), as: UTF8.self)
        switch spec.action {
        case .run: return []
        case .checkout: return ["\(checkoutVariable)=\(text)", "\(mirrorsVariable)=\(paths.mirrors)"]
        case .storeArtifacts, .fetchArtifacts:
            return [
                "\(artifactsVariable)=\(text)", "\(directoryVariable)=\(paths.root)",
                "\(attemptVariable)=\(attempt)",
            ]
        }
    }

    /// What Linux would not take, as a sentence.
    package static func fault(arguments: [String], variables: [String]) -> String? {
        for text in arguments + variables where text.utf8.count > argumentBytesMax {
            let name = text.prefix(60).split(separator: "\n").first ?? ""
            return "A command or variable has \(text.utf8.count) bytes, and Linux takes \(argumentBytesMax): \(name)…"
        }
        return nil
    }
}
