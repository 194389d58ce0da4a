import ArgumentParser

/// `ansflow-agent`: runs the steps of an AnsFlow controller on this host.
@main
struct AgentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ansflow-agent",
        abstract: "Runs the steps of an AnsFlow controller on this host.",
        discussion: """
            An agent is enrolled once with a token from `ansflow agent-token create`, then run as a service:

              ansflow-agent enrol --controller https://ci.example.org:8443 --token T --data-dir /var/lib/ansflow-agent --name builder-1
              ansflow-agent run --data-dir /var/lib/ansflow-agent

            Steps outlive the agent: stopping it with SIGTERM, or updating it, leaves them running, and the next start goes on with
            them. `drain` waits for them instead.
            """,
        version: AgentVersion.text,
        subcommands: [
            EnrolCommand.self, RunCommand.self, DrainCommand.self, StatusCommand.self, DoctorCommand.self,
            MaskCommand.self,
            StepCheckoutCommand.self, StepStoreArtifactsCommand.self, StepFetchArtifactsCommand.self,
        ])
}

/// The agent's version, for people; the protocol has its own.
enum AgentVersion {
    static let text = "0.1.0"
}

/// `--data-dir`, which most commands need.
struct DataDirectoryOption: ParsableArguments {
    @Option(
        name: .customLong("data-dir"),
        help: "The directory that the agent keeps its identity, journal and workspaces in.")
    var path: String

    /// Absolute, whatever was given.
    var absolute: String {
        path.hasPrefix("/") ? path : "\(WorkingDirectory.path)/\(path)"
    }
}
