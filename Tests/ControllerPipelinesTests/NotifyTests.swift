import ControllerCore
import Foundation
import Testing

@testable import ControllerPipelines

@Suite struct NotifyTests {
    @Test func whatADefinitionAsksForIsInItsPlan() throws {
        let plan = try plan(
            """
            steps: [{ run: make }]
            notify:
              - { on: [failed, fixed], to: { webhook: team-chat } }
              - on: waiting_for_approval
                to: { webhook: team room }
            """)
        #expect(
            plan.notify == [
                NotifyPlan(on: [.failed, .fixed], webhook: "team-chat"),
                NotifyPlan(on: [.waitingForApproval], webhook: "team room"),
            ])
        let stored = try JSONEncoder().encode(plan)
        #expect(try JSONDecoder().decode(RunPlan.self, from: stored) == plan)
        #expect(String(decoding: stored, as: UTF8.self).contains(#""notify":[{"#))
    }

    @Test func withoutTheWordThePlanSaysNothing() throws {
        let plan = try plan("steps: [{ run: make }]")
        #expect(plan.notify == nil)
        #expect(!String(decoding: try JSONEncoder().encode(plan), as: UTF8.self).contains("notify"))
    }

    @Test(arguments: [
        "notify: [{ on: [disk_low], to: { webhook: a } }]", "notify: [{ on: [failed] }]",
        "notify: [{ to: { webhook: a } }]", "notify: [{ on: [failed], to: { mail: a } }]",
        "notify: [{ on: [failed], to: { webhook: \"\" } }]",
        "notify: [{ on: [failed], to: { webhook: \"${{ inputs.a }}\" } }]", "notify: { on: failed }",
    ])
    func wrong(_ line: String) {
        #expect(throws: Refused.self) { try plan("steps: [{ run: make }]\n" + line) }
    }
}
