import AnsFlowProtocol
import ControllerCore
import Foundation
import Testing

@Suite struct ModelTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"), (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"), (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] as [(Int64, String)])
    func timesAreRFC3339(_ milliseconds: Int64, _ text: String) {
        #expect(Timestamp.text(milliseconds) == text)
    }

    @Test func timesAgreeWithFoundation() {
        var chance = Chance(7)
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        for _ in 0..<2_000 {
            let seconds = Int64(chance.below(8_000_000_000)) - 2_000_000_000
            let date = Date(timeIntervalSince1970: Double(seconds))
            #expect(Timestamp.text(seconds * 1_000) == formatter.string(from: date))
        }
    }

    /// The fields that api.md promises, of every event of a run's life.
    @Test func eventsHaveTheirPromisedShape() throws {
        var rig = Rig()
        let run = rig.create([Make.job("build", [Make.step("test")])])
        rig.connect()
        rig.started(1)
        rig.finish(1, .failed)
        let events = try #require(rig.rows.events[run])
        #expect(events.map(\.seq) == Array(1...Int64(events.count)))
        for event in events {
            let data = try #require(try JSONSerialization.jsonObject(with: Data(event.data)) as? [String: Any])
            #expect(data["execution_id"] as? Int64 == run.rawValue)
            #expect(data["status"] is String)
            switch event.kind {
            case .execution:
                #expect(data["pipeline_name"] as? String == "p")
                #expect(data["message"] != nil)
            case .step:
                #expect(data["step"] as? String == "build/test")
                for key in ["attempt", "agent", "started_at", "finished_at", "exit_code"] { #expect(data[key] != nil) }
            }
        }
        let last = try #require(try JSONSerialization.jsonObject(with: Data(events.last!.data)) as? [String: Any])
        #expect(last["status"] as? String == "failed" && last["result"] as? String == "failed")
        let step = try #require(events.last { $0.kind == .step })
        let data = try #require(try JSONSerialization.jsonObject(with: Data(step.data)) as? [String: Any])
        #expect(data["exit_code"] as? Int == 7 && data["agent"] as? Int == 1 && data["attempt"] as? Int == 1)
    }

    @Test func oneWordForPhaseAndResult() {
        #expect(Status(phase: .queued, outcome: nil) == .pending)
        #expect(Status(phase: .blocked, outcome: nil) == .blocked)
        for phase in [Phase.starting, .running, .unreachable, .stopping] {
            #expect(Status(phase: phase, outcome: nil) == .running)
        }
        for outcome in [Outcome.failed, .invalid, .timedOut, .lost, .error] {
            #expect(Status(phase: .finished, outcome: outcome) == .failed)
        }
        #expect(Status(phase: .finished, outcome: .warning) == .warning)
    }
}
