import ControllerCore
import ControllerIdentity
import ControllerRepositories
import ControllerStore
import ControllerWebhooks
import Logging
import ServiceLifecycle

/// What takes webhooks and judges them.
extension ControllerAssembly {
    func webhooks(
        _ database: Database, _ engine: Engine, _ vault: SecretVault, _ runs: RunPreparation,
        _ repositories: RepositoryCache, _ reported: any ReportedRuns, _ disk: Disk, _ crash: CrashPoint?
    ) -> WebhookService {
        let (woken, waker) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let intake = WebhookIntake(
            store: database, seal: vault, wake: { waker.yield() }, checkpoint: { crash?.reached($0) })
        var configuration = WebhookWorker.Configuration(
            now: Clocks.wall, pipelinesVersion: { database.pipelinesVersion }, shortage: { disk.shortage })
        configuration.checkpoint = { crash?.reached($0) }
        configuration.ruledOut = { try await database.ruledOut(pipeline: $0, commit: $1, why: $2) }
        configuration.builds = MirroredBuilds(database: database, engine: engine, reported: reported)
        configuration.projectState = { try await database.projectStates()[$0] }
        let worker = WebhookWorker(
            store: database, pipelines: database, runs: runs,
            judge: { (end) async throws(CommandFailure) in try await engine.judge(end) }, configuration: configuration)
        let catchUp = CatchUp(
            store: database, intake: intake, pipelines: database, repositories: repositories,
            credentials: SecretGitCredentials(secrets: vault), allowLocal: settings.allowLocalRepositories,
            now: Clocks.wall)
        return WebhookService(
            intake: intake, manager: WebhookManager(store: database, seal: vault, intake: intake, now: Clocks.wall),
            worker: worker, catchUp: catchUp, store: database, lookEvery: settings.missedPushesEvery, woken: woken,
            waker: waker)
    }
}

/// Judges deliveries as they come, looks for missed ones, and forgets old ones.
struct WebhookService: Service {
    let intake: WebhookIntake
    let manager: WebhookManager
    let worker: WebhookWorker
    let catchUp: CatchUp
    let store: any WebhookRepository
    let lookEvery: Duration?
    let woken: AsyncStream<Void>
    let waker: AsyncStream<Void>.Continuation

    private static let sweepEvery = Duration.seconds(3600)
    /// From the start to the first look for missed pushes: a forge that could not deliver may just try again.
    private static let firstLook = Duration.seconds(5)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await judge() }
                group.addTask {
                    // For what waits for another try.
                    while (try? await Task.sleep(for: .seconds(1))) != nil { waker.yield() }
                }
                group.addTask { await look() }
                group.addTask { await sweep() }
            }
        }
    }

    private func judge() async {
        let logger = Logger(label: "ansflow.webhooks")
        var hasBegun = false
        for await _ in woken {
            do {
                if !hasBegun { try await worker.begin() }
                hasBegun = true
                try await worker.work()
            } catch {
                logger.error("webhooks can't be judged now", metadata: ["error": "\(error)"])
                // Woken again within a second.
            }
        }
    }

    private func look() async {
        var pause = Self.firstLook
        while (try? await Task.sleep(for: pause)) != nil {
            await catchUp.look()
            guard let lookEvery else { return }
            pause = lookEvery
        }
    }

    private func sweep() async {
        repeat {
            _ = try? await store.sweepDeliveries(now: Clocks.wall())
        } while (try? await Task.sleep(for: Self.sweepEvery)) != nil
    }
}
