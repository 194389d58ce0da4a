import ControllerCore
import ControllerWebhooks
import Synchronization
import TestSupport
import Testing

/// Row 20 of the fault matrix: the wall clock jumps.
@Suite("Webhooks and clocks that jump") struct ClockTests {
    @Test("a try that was put off is made", arguments: [Int64(-86_400_000), 86_400_000]) func retries(jump: Int64)
        async throws
    {
        try await Desk.with { desk in
            let origin = try GitOrigin()
            let first = try origin.commit(["src/a": "1"])
            let docs = try origin.commit(["docs/a": "1"])
            _ = try await desk.pipeline(
                "p", "on: { push: { paths: [\"src/**\"] } }\nsteps: [{ run: make }]", url: origin.url)
            _ = try await desk.hook(.github)
            desk.ruledOut.failures.withLock { $0 = 1 }
            let failed = try await desk.judged(.github, Push.body(origin, from: first, to: docs))
            #expect(failed.row.state == .failed)
            try await desk.worker.work()
            #expect(try await desk.view(failed.row.id).row.state == .failed)
            desk.advance(jump)
            try await desk.worker.work()
            let judged = try await desk.view(failed.row.id)
            #expect(judged.row.state == .judged && desk.ruledOut.all.count == 1)
        }
    }
}
