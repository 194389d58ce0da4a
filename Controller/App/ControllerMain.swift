import ArgumentParser
import ControllerHTTP
import Foundation

struct ControllerMain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ansflow-controller",
        abstract: "The AnsFlow controller: keeps pipelines and runs, serves people and agents.",
        discussion: """
            Commands that name a data directory ask the controller that runs in it, or do their work themselves while none runs.

            EXAMPLES
              ansflow-controller serve --data-dir /var/lib/ansflow
              ansflow-controller serve --config /etc/ansflow/controller.conf
              ansflow-controller serve --data-dir D --listen 127.0.0.1:8080 --agent-listen 0.0.0.0:8443 --agent-name ci.example.org

            On one machine, `ansflow up --data-dir D` starts a controller and an agent together.
            """,
        version: HTTPConfiguration(now: { 0 }).version,
        subcommands: [
            ServeCommand.self, ConfigCommand.self, BackupCommand.self, VerifyCommand.self, RestoreCommand.self,
            UserCommand.self, KeyCommand.self, RetentionCommand.self, DoctorCommand.self,
        ])
}

@main
enum Program {
    static func main() async {
        var arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.first == "serve" {
            do throws(SettingsSources.Refusal) {
                let sources = try SettingsSources(
                    Array(arguments.dropFirst()), environment: ProcessInfo.processInfo.environment)
                arguments = ["serve"] + sources.arguments
                try sources.check()
            } catch {
                StandardError.say("ansflow-controller: \(error)")
                exit(64)
            }
        }
        await ControllerMain.main(arguments)
    }
}
