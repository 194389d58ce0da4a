import ArgumentParser
import ControllerHTTP

@main
struct ControllerMain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ansflow-controller",
        abstract: "The AnsFlow controller: keeps pipelines and runs, serves people and agents.",
        discussion: """
            EXAMPLES
              ansflow-controller serve --data-dir /var/lib/ansflow
              ansflow-controller serve --data-dir D --listen 127.0.0.1:8080 --agent-listen 0.0.0.0:8443 --agent-name ci.example.org

            On one machine, `ansflow up --data-dir D` starts a controller and an agent together.
            """,
        version: HTTPConfiguration(now: { 0 }).version,
        subcommands: [ServeCommand.self])
}
