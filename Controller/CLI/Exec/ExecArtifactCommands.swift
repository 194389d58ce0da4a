import AgentExec
package import ArgumentParser
import FoundationEssentials
import Glibc

/// The built-in steps about artifacts of a local run: the agent's own, with a folder in the place of the controller.
package struct ExecStoreArtifactsCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "step-store-artifacts", abstract: "The built-in step that keeps files.", shouldDisplay: false)

    package init() {}

    package func run() async throws {
        let host = ProcessInfo.processInfo.environment
        let artifacts = try ExecArtifacts.of(host)
        let code = await StoreArtifactsStep.run(
            host: host, directory: FileManager.default.currentDirectoryPath, transport: { _, _ in artifacts })
        if code != 0 { throw ExitCode(code) }
    }
}

package struct ExecFetchArtifactsCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "step-fetch-artifacts", abstract: "The built-in step that fetches files of earlier jobs.",
        shouldDisplay: false)

    package init() {}

    package func run() async throws {
        let host = ProcessInfo.processInfo.environment
        let artifacts = try ExecArtifacts.of(host)
        let code = await FetchArtifactsStep.run(
            host: host, directory: FileManager.default.currentDirectoryPath, transport: { _, _ in artifacts })
        if code != 0 { throw ExitCode(code) }
    }
}

private enum ExecArtifacts {
    static func of(_ host: [String: String]) throws -> LocalArtifacts {
        guard let data = host["ANSFLOW_AGENT_DIRECTORY"], let job = host["ANSFLOW_JOB"] else {
            throw ClientFailure(.usage, "This is a step of `ansflow exec` and no command of its own.")
        }
        return try LocalArtifacts(data: data, job: job)
    }
}
