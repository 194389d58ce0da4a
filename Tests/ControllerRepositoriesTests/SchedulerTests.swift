import ControllerCore
import ControllerRepositories
import Foundation
import Synchronization
import TestSupport
import Testing

/// A scheduler with a clock in the hand, and runs that only count.
private final class Rig: Sendable, RunPreparing {
    let store = MemoryStore()
    let now = Mutex<Int64>(20_514 * 86_400_000)
    let runs = Mutex<[RunRequest]>([])
    /// What preparing or making a run fails with.
    let refusal = Mutex<RunRefusal?>(nil)
    let failure = Mutex<CommandFailure?>(nil)

    func prepare(_ pipeline: PipelineRow, _ wish: RunWish) async throws(RunRefusal) -> RunRequest {
        if let refusal = refusal.withLock({ $0 }) { throw refusal }
        return RunRequest(
            pipeline: pipeline, plan: RunPlan(name: "p", jobs: []), event: wish.event, actor: wish.actor,
            idempotencyKey: wish.idempotencyKey)
    }

    func definition(of draft: PipelineDraft) async throws(RunRefusal) -> String { draft.definition }

    func scheduler() -> Scheduler {
        var configuration = Scheduler.Configuration(
            now: { self.now.withLock { $0 } }, zone: { $0 == "UTC" ? .utc : nil },
            pipelinesVersion: { self.store.version })
        configuration.pausesMs = [1_000, 2_000]
        return Scheduler(
            pipelines: store, store: store, definitions: LineReader(), runs: self,
            createRun: { (request) async throws(CommandFailure) in
                if let failure = self.failure.withLock({ $0 }) { throw failure }
                let count = self.runs.withLock { runs in
                    runs.append(request)
                    return Int64(runs.count)
                }
                guard self.store.note(request.idempotencyKey ?? "", RunID(rawValue: count)) else {
                    throw .conflict("the slot has a run")
                }
                return RunRow(
                    id: RunID(rawValue: count), project: .main, pipeline: request.pipeline.id, pipelineName: "p",
                    pipelineVersion: 1,
                    number: count, event: request.event, ref: "", branch: "", tag: "", commit: "", inputs: [:],
                    priority: 0,
                    actor: request.actor, createdAt: 0, deadline: 0)
            }, configuration: configuration)
    }

    func pass(_ seconds: Int64) { now.withLock { $0 += seconds * 1_000 } }

    func tick(_ scheduler: Scheduler) async {
        for due in await scheduler.tick() { await scheduler.fire(due) }
    }

    var count: Int { runs.withLock { $0.count } }
}

@Suite("The scheduler") struct SchedulerTests {
    private let rig = Rig()
    private let hourly = PipelineRow("cron: 0 * * * *")

    @Test("runs are made at their times, once, also across restarts") func times() async throws {
        rig.store.put(hourly)
        var scheduler = rig.scheduler()
        await rig.tick(scheduler)
        #expect(rig.count == 0)
        for _ in 0..<8 {
            rig.pass(1_800)
            await rig.tick(scheduler)
            scheduler = rig.scheduler()
            await rig.tick(scheduler)
        }
        #expect(rig.count == 4)
        let run = try #require(rig.runs.withLock { $0.last })
        #expect(run.event == "cron" && run.actor == "schedule 0 * * * *")
        let view = try #require(try await scheduler.schedules(of: hourly, count: 2).first)
        #expect(view.isActive && view.next.count == 2 && view.row.lastRun == RunID(rawValue: 4))
        #expect(view.row.lastSlot == rig.now.withLock { $0 })
        // Down for hours: one run for all of them.
        rig.pass(5 * 3_600 + 60)
        scheduler = rig.scheduler()
        await rig.tick(scheduler)
        await rig.tick(scheduler)
        #expect(rig.count == 5)
        // The clock goes back by hours and comes again.
        rig.pass(-3 * 3_600)
        for _ in 0..<4 {
            scheduler = rig.scheduler()
            await rig.tick(scheduler)
            rig.pass(2_400)
        }
        #expect(rig.count == 5)
        #expect(Set(rig.store.fired.map(\.slot)).count == 5)
    }

    @Test("paused pipelines and schedules start nothing, and make up for nothing") func paused() async throws {
        rig.store.put(hourly)
        let scheduler = rig.scheduler()
        await rig.tick(scheduler)
        var off = hourly
        off.enabled = false
        rig.store.put(off)
        for _ in 0..<3 {
            rig.pass(3_600)
            await rig.tick(scheduler)
        }
        #expect(rig.count == 0)
        #expect(try await scheduler.schedules(of: off, count: 3).first?.next == [])
        rig.store.put(hourly)
        await rig.tick(scheduler)
        #expect(rig.count == 0)
        let name = "0 * * * *"
        #expect(try await scheduler.setEnabled(false, name, of: hourly)?.isActive == false)
        rig.pass(2 * 3_600)
        await rig.tick(scheduler)
        await rig.tick(rig.scheduler())
        #expect(rig.count == 0)
        #expect(try await scheduler.setEnabled(true, name, of: hourly)?.isActive == true)
        #expect(try await scheduler.setEnabled(true, "other", of: hourly) == nil)
        await rig.tick(scheduler)
        #expect(rig.count == 0)
        rig.pass(3_600)
        await rig.tick(scheduler)
        #expect(rig.count == 1)
    }

    @Test("what fails for a moment is tried again; what is wrong is shown") func failures() async throws {
        rig.store.put(hourly)
        let scheduler = rig.scheduler()
        await rig.tick(scheduler)
        rig.failure.withLock { $0 = .notWritable("the disk is full") }
        rig.pass(3_600)
        await rig.tick(scheduler)
        rig.failure.withLock { $0 = nil }
        await rig.tick(scheduler)
        #expect(rig.count == 0)
        rig.pass(1)
        await rig.tick(scheduler)
        #expect(rig.count == 1)
        let away = RepositoryFailure(.contact, .unreachable, "It can't be reached.")
        rig.refusal.withLock { $0 = .repository(away) }
        rig.pass(3_600)
        for _ in 0..<6 {
            await rig.tick(scheduler)
            rig.pass(2)
        }
        let view = try #require(try await scheduler.schedules(of: hourly, count: 1).first)
        #expect(view.row.error?.contains("the repository could not be fetched: It can't be reached.") == true)
        // Given up for good, also after a restart; the next one clears it.
        rig.refusal.withLock { $0 = nil }
        await rig.tick(rig.scheduler())
        #expect(rig.count == 1)
        rig.pass(3_600)
        await rig.tick(scheduler)
        #expect(rig.count == 2)
        #expect(try await scheduler.schedules(of: hourly, count: 1).first?.row.error == nil)
        rig.refusal.withLock { $0 = .trigger("No such schedule.") }
        rig.pass(3_600)
        await rig.tick(scheduler)
        #expect(try await scheduler.schedules(of: hourly, count: 1).first?.row.error?.contains("No such") == true)
    }

    @Test("changed, added and removed schedules are followed") func changes() async throws {
        rig.store.put(hourly)
        let scheduler = rig.scheduler()
        await rig.tick(scheduler)
        rig.store.put(PipelineRow("cron: 30 * * * *\ncron: 0 12 * * *\nzone: UTC"))
        rig.pass(3_601)
        await rig.tick(scheduler)
        #expect(rig.count == 0)
        #expect(try await scheduler.schedules(of: hourly, count: 0).map(\.row.name) == ["0 12 * * *", "30 * * * *"])
        rig.pass(1_800)
        await rig.tick(scheduler)
        #expect(rig.count == 1)
        rig.store.put(PipelineRow("cron: 0 * * * *\nzone: Mars/Olympus"))
        await rig.tick(scheduler)
        let view = try #require(try await scheduler.schedules(of: hourly, count: 1).first)
        #expect(!view.isActive && view.row.error?.contains("Mars/Olympus") == true)
        try await rig.store.delete(hourly.id, by: "me", at: 0)
        rig.pass(86_400)
        await rig.tick(scheduler)
        #expect(rig.count == 1)
    }

    @Test("slots go through idempotency keys unharmed") func keys() {
        let slot = ScheduleSlot(pipeline: PipelineID(rawValue: 3), name: "a:b schedule:c", slot: -5)
        #expect(ScheduleSlot(idempotencyKey: slot.idempotencyKey) == slot)
        for key in ["user:1:schedule:1:2:x", "schedule:1:x:y", "schedule:1", "schedule:", ""] {
            #expect(ScheduleSlot(idempotencyKey: key) == nil)
        }
    }
}
