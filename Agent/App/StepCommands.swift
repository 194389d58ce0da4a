import AgentExec
import AgentLink
import ArgumentParser
import Glibc

struct MaskCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mask",
        abstract: "Inside a step: hides a value in the step's log from now on.",
        discussion: """
            Reads the value from standard input, so that it is in no process list, and returns when it is masked.

              printf %s "$TOKEN" | ansflow-agent mask
            """)

    func run() throws {
        do {
            try SecretMask.send()
        } catch {
            Terminal.error("ansflow-agent: \(error)")
            throw ExitCode(1)
        }
    }
}

struct StepCheckoutCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "step-checkout", abstract: "The built-in step that checks a repository out.", shouldDisplay: false)

    func run() async throws {
        let host = StepEnvironment.valuesOfThisProcess
        let code = await CheckoutStep.run(host: host, directory: WorkingDirectory.path)
        if code != 0 { throw ExitCode(code) }
    }
}

struct StepStoreArtifactsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "step-store-artifacts", abstract: "The built-in step that keeps files and test reports.",
        shouldDisplay: false)

    func run() async throws {
        let host = StepEnvironment.valuesOfThisProcess
        let code = await StoreArtifactsStep.run(host: host, directory: WorkingDirectory.path) { directory, attempt in
            ArtifactClient(directory: directory, attempt: attempt)
        }
        if code != 0 { throw ExitCode(code) }
    }
}

struct StepFetchArtifactsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "step-fetch-artifacts", abstract: "The built-in step that fetches files of earlier jobs.",
        shouldDisplay: false)

    func run() async throws {
        let host = StepEnvironment.valuesOfThisProcess
        let code = await FetchArtifactsStep.run(host: host, directory: WorkingDirectory.path) { directory, attempt in
            ArtifactClient(directory: directory, attempt: attempt)
        }
        if code != 0 { throw ExitCode(code) }
    }
}
