import ControllerRepositories
import ServiceLifecycle

/// Looks once a second which schedules are due, and makes their runs beside each other.
struct ScheduleTicker: Service {
    let scheduler: Scheduler

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                while (try? await Task.sleep(for: .seconds(1))) != nil {
                    for due in await scheduler.tick() { group.addTask { await scheduler.fire(due) } }
                }
            }
        }
    }
}
