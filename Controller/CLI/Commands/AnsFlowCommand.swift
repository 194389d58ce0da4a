package import ArgumentParser
import Glibc

/// `ansflow`: the command line of AnsFlow.
package struct AnsFlowCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "ansflow",
        abstract: "Drives an AnsFlow controller: pipelines, runs, live logs, agents.",
        discussion: """
            Examples:
              ansflow up --data-dir ~/ansflow --slots 2     everything on this machine
              ansflow login --url http://127.0.0.1:8080     log in, once
              ansflow run quickstart --follow               start a run and watch it
              ansflow logs 7 build/test --follow            watch one step
              ansflow exec --job test                       run a pipeline here, without a controller

            The controller is named by --url, ANSFLOW_URL or the last login. ANSFLOW_TOKEN takes an API key or an access token \
            and wins over a login.

            Exit codes: 0 done; 1 a followed run did not succeed, or the answer is no; 2 wrong use; 3 not found; 4 not logged in \
            or not allowed; 5 the controller cannot be reached; 6 it refused the request; 7 it failed.

            Completion: ansflow --generate-completion-script bash > /etc/bash_completion.d/ansflow (also zsh and fish).
            """,
        version: Version.text,
        subcommands: [
            LoginCommand.self, LogoutCommand.self, ValidateCommand.self, PipelineCommand.self, RunCommand.self,
            RunsCommand.self, ShowCommand.self, LogsCommand.self, CancelCommand.self, RerunCommand.self,
            ApproveCommand.self, DeclineCommand.self, ApprovalsCommand.self, AgentsCommand.self, AgentCommand.self,
            AgentTokenCommand.self, APIKeyCommand.self, SecretCommand.self, HookCommand.self, WebhookCommand.self,
            ArtifactCommand.self, TestsCommand.self, EnvironmentCommand.self, ReportCommand.self,
            AuditCommand.self, StatsCommand.self, CacheCommand.self,
            DeleteCommand.self, SystemCommand.self, WhoamiCommand.self, UserCommand.self, ProjectCommand.self,
            MemberCommand.self,
            ForgeCommand.self, NoticeCommand.self, StatusCommand.self, UpCommand.self, DownCommand.self,
            ExecCommand.self,
            ExecCheckoutCommand.self,
            ExecStoreArtifactsCommand.self, ExecFetchArtifactsCommand.self,
        ])

    package init() {}

    /// Parses the arguments, runs the command and ends the process with the code that says how it went.
    @MainActor package static func start(_ arguments: [String]? = nil) async -> Never {
        do {
            var command = try parseAsRoot(arguments)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            Glibc.exit(0)
        } catch let failure as ClientFailure {
            Terminal.note(failure.text)
            Glibc.exit(failure.kind.rawValue)
        } catch let code as ExitCode {
            Glibc.exit(code.rawValue)
        } catch {
            let code = exitCode(for: error)
            if code == .success {
                Terminal.print(fullMessage(for: error))
                Glibc.exit(0)
            }
            if code == .validationFailure {
                Terminal.note(fullMessage(for: error))
                Glibc.exit(ClientFailure.Kind.usage.rawValue)
            }
            Terminal.note("error: \(error)")
            Glibc.exit(ClientFailure.Kind.serverFailed.rawValue)
        }
    }
}
