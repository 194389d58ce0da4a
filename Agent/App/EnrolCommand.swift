import AgentLink
import AnsFlowProtocol
import ArgumentParser

struct EnrolCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enrol",
        abstract: "Makes this host an agent of a controller.",
        discussion: """
            The token is made with `ansflow agent-token create`, works once and lives 15 minutes. The agent's key is made here and never
            leaves the data directory.

              ansflow-agent enrol --controller https://ci.example.org:8443 --token T --data-dir /var/lib/ansflow-agent \\
                --name builder-1 --labels os=linux,gpu=none --slots 2
            """)

    @Option(help: "The controller's address for agents: https://HOST:PORT.") var controller: String
    @Option(help: "The enrolment token.") var token: String
    @OptionGroup var data: DataDirectoryOption
    @Option(help: "The agent's name. By default the host's.") var name: String?
    @Option(help: "Labels that jobs can ask for, as NAME=VALUE, divided by commas.") var labels: String = ""
    @Option(help: "Job attempts that may run here at the same time.") var slots: Int = 1
    @Flag(help: "Give a directory that is enrolled already a new identity.") var replace = false

    func run() async throws {
        let labels = try Labels.parse(labels)
        guard (1...256).contains(slots) else { throw ValidationError("--slots is 1 to 256.") }
        let enrolment = Enrolment(
            controller: controller, name: name ?? Labels.hostName, labels: labels, slots: slots)
        do {
            let settings = try await enrolment.enrol(token: token, directory: data.absolute, replace: replace)
            Terminal.out("Enrolled as \"\(settings.name)\" (agent \(settings.agent)) at \(settings.controller).")
            Terminal.out("Start it with: ansflow-agent run --data-dir \(data.path)")
        } catch {
            Terminal.error("ansflow-agent: \(error)")
            throw ExitCode(1)
        }
    }
}
