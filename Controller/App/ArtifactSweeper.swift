import ControllerArtifacts
import ControllerMaintenance
import Logging
import ServiceLifecycle

/// Removes what nobody keeps any more, once an hour.
struct ArtifactSweeper: Service {
    let store: ArtifactStore
    /// Nothing is swept while a backup is made.
    let retention: Retention
    private static let interval = Duration.seconds(3600)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            repeat {
                do {
                    _ = try await retention.removing { try await store.sweep() }
                } catch is CancellationError {
                    return
                } catch {
                    Logger(label: "ansflow.artifacts").warning(
                        "artifacts were not swept; tried again in an hour", metadata: ["error": "\(error)"])
                }
            } while (try? await Task.sleep(for: Self.interval)) != nil
        }
    }
}
