import AnsFlowProtocol
import Testing

@testable import ControllerCore

@Suite struct DifferenceTests {
    private func text(_ old: String, _ new: String) -> String {
        TextDifference.unified(old, new, names: ("a", "b")).text
    }

    @Test func hunksAreAsDiffWritesThem() {
        #expect(text("x\n", "x\n") == "")
        #expect(text("", "x\n") == "--- a\n+++ b\n@@ -0,0 +1,1 @@\n+x\n")
        #expect(text("x\n", "") == "--- a\n+++ b\n@@ -1,1 +0,0 @@\n-x\n")
        let old = (1...20).map { "\($0)\n" }.joined()
        let new = old.replacing("\n3\n", with: "\nthree\n").replacing("\n18\n", with: "\n18\nmore\n")
        #expect(
            text(old, new) == """
                --- a
                +++ b
                @@ -1,6 +1,6 @@
                 1
                 2
                -3
                +three
                 4
                 5
                 6
                @@ -16,5 +16,6 @@
                 16
                 17
                 18
                +more
                 19
                 20

                """)
    }

    /// Whatever the two texts are: the lines that stay and come make the new one, those that stay and go the old one.
    @Test func aDifferenceHoldsBothTexts() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            let words = ["a", "b", "c", "d"]
            let old = (0..<Int.random(in: 0...30, using: &random)).map { _ in words.randomElement(using: &random)! }
            let new = (0..<Int.random(in: 0...30, using: &random)).map { _ in words.randomElement(using: &random)! }
            let found = TextDifference.unified(
                old.map { $0 + "\n" }.joined(), new.map { $0 + "\n" }.joined(), names: ("a", "b"))
            var rest = found.text.split(separator: "\n").dropFirst(2)[...]
            var (made, position) = ([String](), 0)
            while let head = rest.popFirst() {
                let numbers = head.split { !$0.isNumber }.compactMap { Int($0) }
                let start = numbers[1] > 0 ? numbers[0] - 1 : numbers[0]
                made += old[position..<start]
                position = start
                while let line = rest.first, !line.hasPrefix("@") {
                    rest.removeFirst()
                    if line.first != "+" {
                        #expect(old[position] == line.dropFirst())
                        position += 1
                    }
                    if line.first != "-" { made.append(String(line.dropFirst())) }
                }
            }
            made += old[position...]
            #expect(made == new)
        }
    }

    @Test func aHugeDifferenceIsNotSearched() {
        let count = TextDifference.linesMax + 1
        let found = TextDifference.unified(
            (0..<count).map { "a\($0)\n" }.joined(), (0..<count).map { "b\($0)\n" }.joined(), names: ("a", "b"))
        #expect(found.added == count && found.removed == count)
    }

    @Test func plansDifferByJobAndStep() {
        func step(_ id: String, _ command: String, timeout: UInt64 = 1000) -> StepPlan {
            StepPlan(id: id, action: .run(commands: [command], shell: .sh), timeoutMs: timeout)
        }
        let old = RunPlan(
            name: "p",
            jobs: [
                JobPlan(id: "build", steps: [step("make", "make"), step("gone", "x")]), JobPlan(id: "old", steps: []),
            ])
        let new = RunPlan(
            name: "p",
            jobs: [
                JobPlan(
                    id: "build", needs: ["lint"], steps: [step("make", "make all", timeout: 2000), step("new", "y")]),
                JobPlan(id: "lint", steps: []),
            ])
        #expect(PlanDifference.between(old, old) == [])
        #expect(
            PlanDifference.between(old, new) == [
                PlanDifference(kind: .removed, job: "old"),
                PlanDifference(kind: .changed, job: "build", what: ["needs"]),
                PlanDifference(kind: .removed, job: "build", step: "gone"),
                PlanDifference(kind: .changed, job: "build", step: "make", what: ["action", "timeout"]),
                PlanDifference(kind: .added, job: "build", step: "new"),
                PlanDifference(kind: .added, job: "lint"),
            ])
    }
}
