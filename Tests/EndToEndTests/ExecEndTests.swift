import Foundation
import TestSupport
import Testing

/// How `ansflow exec` is ended from outside.
@Suite struct ExecEndTests {
    private static func definition(_ box: ExecSandbox) -> String {
        """
        steps:
          - id: wait
            run: |
              trap 'echo term >> \(box.notes)/end; exit 3' TERM
              echo $$ >> \(box.notes)/pid
              sleep 600 & wait
          - { id: after, run: echo never }
        """
    }

    @Test func anInterruptStopsTheSteps() async throws {
        try await ExecSandbox.with { box in
            try box.write("p.yml", Self.definition(box))
            let exec = try box.start("p.yml")
            try eventually(within: 60, "the step runs") { !box.lines("pid").isEmpty }
            exec.signal(SIGINT)
            #expect(try exec.wait(within: 30) == 130, "\(box.output)")
            #expect(box.lines("end") == ["term"], "the step was asked to end")
            #expect(box.output.contains("cancelled") && !box.output.contains("| never"), "\(box.output)")
            try eventually(within: 10, "nothing is left") { ProcessTable.living(under: box.root).isEmpty }
            #expect(box.leftovers.isEmpty)
        }
    }

    @Test func aSecondInterruptKills() async throws {
        try await ExecSandbox.with { box in
            try box.write(
                "p.yml",
                "steps: [{ id: s, run: \"trap '' TERM; echo $$ >> \(box.notes)/pid; sleep 600; sleep 600\" }]\n")
            let exec = try box.start("p.yml")
            try eventually(within: 60, "the step runs") { !box.lines("pid").isEmpty }
            exec.signal(SIGINT)
            try eventually(within: 20, "it stops") { box.output.contains("Stopping") }
            exec.signal(SIGINT)
            #expect(try exec.wait(within: 8) == 130, "\(box.output)")
            try eventually(within: 10, "nothing is left") { ProcessTable.living(under: box.root).isEmpty }
        }
    }

    @Test func killedItTakesItsStepsAlong() async throws {
        try await ExecSandbox.with { box in
            try box.write(
                "p.yml",
                "steps: [{ id: s, run: \"trap '' TERM; setsid sleep 600 & echo $$ >> \(box.notes)/pid; sleep 600\" }]\n"
            )
            let exec = try box.start("p.yml")
            try eventually(within: 60, "the step runs") { !box.lines("pid").isEmpty }
            try #require(!ProcessTable.shims(of: box.root + "/cache").isEmpty)
            let pid = try #require(box.lines("pid").first.flatMap { Int32($0) })
            exec.destroy()
            try eventually(within: 20, "nothing is left") {
                ProcessTable.living(under: box.root).isEmpty && !ProcessTable.isAlive(pid)
            }
            #expect(box.leftovers.count == 1, "a killed process removes nothing")
            try box.write("q.yml", "steps: [{ run: echo fine }]\n")
            #expect(try box.exec("q.yml").code == 0)
            #expect(box.leftovers.isEmpty, "the next one does")
        }
    }
}
