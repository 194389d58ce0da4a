import TestSupport
import Testing

/// What approvals ask, and what was tried before, without a controller.
@Suite struct ExecApprovalTests {
    @Test func valuesOfAnApprovalReachItsSteps() async throws {
        let definition = """
            jobs:
              build: { steps: [{ run: echo built }] }
              deploy:
                needs: [build]
                approval:
                  inputs:
                    region: { type: choice, options: [eu, us], required: true }
                    note: { type: text, default: none }
                steps: [{ id: go, run: 'echo "to $ANSFLOW_INPUT_REGION, $NOTE"', env: { NOTE: "${{ inputs.note }}" } }]
            """
        try await ExecSandbox.with(["p.yml": definition]) { box in
            let missing = try box.exec("p.yml", "--approve", "deploy")
            #expect(missing.code == 6 && missing.errors.contains("--approve-input 'region=VALUE'"), "\(missing)")
            let wrong = try box.exec("p.yml", "--approve", "deploy", "--approve-input", "region=moon")
            #expect(wrong.code == 6 && wrong.errors.contains("eu, us"), "\(wrong)")
            let odd = try box.exec("p.yml", "--approve", "deploy", "--approve-input", "place=eu")
            #expect(odd.code == 2 && odd.errors.contains("place"), "\(odd)")
            let good = try box.exec("p.yml", "--approve", "deploy", "--approve-input", "region=eu")
            #expect(good.code == 0 && good.output.contains("| to eu, none"), "\(good)")
        }
    }

    @Test func earlierAttemptsAreShown() async throws {
        let definition = """
            steps:
              - id: flaky
                run: 'if [ -e tried ]; then exit 0; fi; touch tried; exit 75'
                retry: { max: 2, exit_codes: [75] }
            """
        try await ExecSandbox.with(["p.yml": definition]) { box in
            let shown = try box.exec("p.yml")
            #expect(
                shown.code == 0 && shown.output.contains("attempt 1") && shown.output.contains("attempt 2"), "\(shown)")
            let run = try box.json("p.yml")
            let attempts = ExecSandbox.step(run, "main/flaky")["attempts"].items
            #expect(attempts.map { $0["result"].text } == ["failed", "success"], "\(run)")
            #expect(attempts.first?["exit_code"].int == 75, "\(run)")
        }
    }
}
