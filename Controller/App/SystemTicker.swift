import ControllerHTTP
import ServiceLifecycle

/// Tells those who watch the system of agents and figures that changed.
struct SystemTicker: Service {
    let feed: SystemFeed

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: .seconds(2))) != nil { await feed.tell() }
        }
    }
}
