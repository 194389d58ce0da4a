import ArgumentParser
import ControllerHTTP
import Foundation

struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Look at the settings that the controller would be started with.",
        discussion: """
            Each option of `serve` can also stand in the environment, as ANSFLOW_CONTROLLER_ with its name in capitals, and in a file \
            that --config or ANSFLOW_CONTROLLER_CONFIG names. The command line counts most, then the environment, then the file. \
            Options that may be repeated stand on several lines of the file, and with commas between in the environment; flags are \
            `true` or `false`. In the file:

              # /etc/ansflow/controller.conf
              data-dir = /var/lib/ansflow
              listen = 127.0.0.1:8080
              agent-listen = 0.0.0.0:8443
              agent-name = ci.example.org
              agent-name = 192.0.2.10
              public-url = https://ci.example.org
            """,
        subcommands: [ConfigCheckCommand.self], defaultSubcommand: ConfigCheckCommand.self)
}

struct ConfigCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check the settings, and show each with where it is from. Nothing is started or changed.",
        discussion: """
            EXAMPLES
              ansflow-controller config check --config /etc/ansflow/controller.conf
              ansflow-controller config check --json --data-dir /var/lib/ansflow --listen 0.0.0.0:8443
            """)

    @Flag(help: "Print JSON.")
    var json = false

    @Argument(parsing: .allUnrecognized, help: "Options as for `serve`.")
    var options: [String] = []

    private struct Row: Encodable {
        var name: String
        var values: [String]
        var source: String
    }

    func run() async throws {
        let sources: SettingsSources
        do throws(SettingsSources.Refusal) {
            sources = try SettingsSources(options, environment: ProcessInfo.processInfo.environment)
            try sources.check()
        } catch {
            StandardError.say("ansflow-controller: \(error)")
            throw ExitCode(64)
        }
        try check(try ServeCommand.parse(sources.arguments))
        let rows = sources.rows.map { Row(name: $0.name, values: $0.values, source: $0.source) }
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(rows), as: UTF8.self))
            return
        }
        let width = rows.map(\.name.count).max() ?? 0
        for row in rows {
            let name = row.name.padding(toLength: width, withPad: " ", startingAt: 0)
            print("\(name)  \(row.values.isEmpty ? "-" : row.values.joined(separator: ", "))  (\(row.source))")
        }
        print("The settings are good.")
    }

    private func check(_ command: ServeCommand) throws {
        guard let certificate = command.tlsCert, let key = command.tlsKey else { return }
        do {
            _ = try ListenerCertificate(certificate: certificate, key: key)
        } catch {
            StandardError.say("ansflow-controller: \(error)")
            throw ExitCode(64)
        }
    }
}
