import ControllerCore
import ControllerHTTP
import Logging
import ServiceLifecycle
import Synchronization

/// Brings what has ended into the statistics: every few seconds, and before somebody reads them.
final class AnalyticsRoller: Service {
    private let store: any AnalyticsKeeping
    private let requests: Mutex<(@Sendable () -> [StatKey: StatFigures])?> = Mutex(nil)
    private let logger = Logger(label: "ansflow.analytics")

    init(store: any AnalyticsKeeping) {
        self.store = store
    }

    /// - Parameter requests: takes away what was counted of requests since it was last called.
    func attach(requests: @escaping @Sendable () -> [StatKey: StatFigures]) {
        self.requests.withLock { $0 = requests }
    }

    func rollUp() async throws {
        while try await store.rollUp() > 0 {}
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var turn = 0
            while (try? await Task.sleep(for: .seconds(5))) != nil {
                await self.turn(turn)
                turn += 1
            }
        }
        await addRequests()
    }

    private func turn(_ turn: Int) async {
        do {
            try await rollUp()
            if turn % 12 == 11 { await addRequests() }
            if turn % 720 == 0 { try await store.prune(now: Clocks.wall()) }
        } catch {
            // Nothing is lost: what has ended waits in its table.
            logger.warning("statistics could not be written", metadata: ["error": "\(error)"])
        }
    }

    private func addRequests() async {
        guard let take = requests.withLock({ $0 }) else { return }
        let rows = take()
        do {
            try await store.add(rows, at: Clocks.wall())
        } catch {
            logger.warning("figures of requests were lost", metadata: ["error": "\(error)", "routes": "\(rows.count)"])
        }
    }
}
