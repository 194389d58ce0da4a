import ControllerCore
import ControllerRepositories
import ControllerStore
import Foundation
import Logging

/// What reads definitions and starts runs by time.
extension ControllerAssembly {
    func repositories() throws -> RepositoryCache {
        var configuration = RepositoryCacheConfiguration(
            directory: settings.dataDirectory + "/repositories", environment: ProcessInfo.processInfo.environment)
        // A controller that may read this host's own repositories is one person's: it may use that person's keys too.
        configuration.usesOwnIdentity = settings.allowLocalRepositories
        return try RepositoryCache(configuration, logger: Logger(label: "ansflow.repositories"))
    }

    func preparation(
        _ database: Database, _ repositories: RepositoryCache, _ secrets: any SecretReading
    ) -> RunPreparation {
        RunPreparation(
            compiler: PipelineReader(), repositories: repositories, credentials: SecretGitCredentials(secrets: secrets),
            pipelines: database,
            configuration: .init(
                allowLocal: settings.allowLocalRepositories, now: Clocks.wall,
                zoneExists: { TimeZones.zone($0) != nil },
                variables: { try await database.variables(of: $0)?.values ?? [:] }))
    }

    func scheduler(_ database: Database, _ engine: Engine, _ runs: RunPreparation) -> Scheduler {
        Scheduler(
            pipelines: database, store: database, definitions: PipelineReader(), runs: runs,
            createRun: { (request) async throws(CommandFailure) in try await engine.createRun(request) },
            configuration: .init(
                now: Clocks.wall, zone: TimeZones.zone, pipelinesVersion: { database.pipelinesVersion }))
    }
}
