import ControllerCore
import ServiceLifecycle

/// Tells the engine once a second that time goes by.
struct EngineTicker: Service {
    let engine: Engine

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: .seconds(1))) != nil { await engine.tick() }
        }
    }
}
