import Foundation
import TestSupport
import Testing

/// `ansflow exec`: a pipeline on this machine, with no controller.
@Suite struct ExecTests {
    @Test func runsInACopyOfTheWorkingTree() async throws {
        try await ExecSandbox.with(["kept": "one\n", "gone": "x\n", ".gitignore": "ignored\n"]) { box in
            try box.write("kept", "two\n")
            try box.write("new/file", "three\n")
            try box.write("ignored", "four\n")
            try box.shell("rm gone; ln -s kept link; chmod +x new/file")
            try box.write(
                ".ansflow.yml",
                """
                steps:
                  - id: look
                    run: |
                      cat kept new/file link
                      test -x new/file && test ! -e gone && test ! -e ignored
                      git log --oneline | wc -l
                      git status --short | sort
                      echo "$ANSFLOW_BRANCH $ANSFLOW_EVENT $ANSFLOW_JOB"
                  - { id: write, run: echo changed > kept }
                """)
            let result = try box.exec()
            #expect(result.code == 0, "\(result)")
            for text in ["two", "three", " D gone", "?? new/", "main manual main", "look: success"] {
                #expect(result.output.contains(text), "\(text) in \(result.output)")
            }
            #expect(TextFile.read(box.project + "/kept") == "two\n", "the working tree is left alone")
            #expect(try box.shell("git status --short | grep -c .") == "5\n", "and so is its index")
            #expect(box.leftovers.isEmpty)
        }
    }

    @Test func inPlaceItRunsInTheTreeItself() async throws {
        try await ExecSandbox.with(["p.yml": "steps: [{ run: 'echo made > made; pwd -P' }]\n"]) { box in
            let result = try box.exec("p.yml", "--in-place")
            #expect(result.code == 0 && result.output.contains(box.project), "\(result)")
            #expect(TextFile.read(box.project + "/made") == "made\n")
            #expect(box.leftovers.isEmpty && TextFile.exists(box.project + "/p.yml"))
        }
    }

    @Test func failuresAndTimeoutsEndWithOne() async throws {
        let files = [
            "fails.yml": "steps: [{ id: a, run: echo it breaks; exit 9 }, { id: b, run: echo never }]\n",
            "slow.yml": "steps: [{ id: a, run: sleep 600, timeout: 1s }]\n",
            "bad.yml": "steps: [{ id: a, rnu: x }]\n",
        ]
        try await ExecSandbox.with(files) { box in
            let failed = try box.exec("fails.yml")
            #expect(failed.code == 1, "\(failed)")
            #expect(failed.output.contains("it breaks") && !failed.output.contains("| never"), "\(failed.output)")
            #expect(failed.output.contains("exit code 9"), "\(failed.output)")
            let run = try box.json("slow.yml")
            let step = ExecSandbox.step(run, "main/a")
            #expect(run["status"].text == "failed" && step["result"].text == "timed_out", "\(run)")
            let bad = try box.exec("bad.yml")
            #expect(bad.code == 1 && bad.errors.contains("bad.yml:1:") && bad.errors.contains("run"), "\(bad)")
            #expect(try box.exec("nowhere.yml").code == 3)
            #expect(box.leftovers.isEmpty)
        }
    }

    @Test func jobsAndStepsInOrder() async throws {
        let definition = """
            env: { LC_ALL: C }
            jobs:
              end: { needs: [left, right], steps: [{ id: x, run: "echo end/x >> NOTES" }] }
              left: { steps: [{ id: x, run: "echo left/x >> NOTES" }, { id: y, run: "echo left/y >> NOTES" }] }
              right: { steps: [{ id: x, run: "echo right/x >> NOTES" }] }
              skipped: { if: "branch == 'other'", steps: [{ id: x, run: "echo skipped/x >> NOTES" }] }
            """
        try await ExecSandbox.with { box in
            try box.write("p.yml", definition.replacingOccurrences(of: "NOTES", with: box.notes + "/order"))
            let run = try box.json("p.yml", "--slots", "2")
            #expect(run["status"].text == "success", "\(run)")
            let order = box.lines("order")
            #expect(order.last == "end/x" && Set(order) == ["left/x", "left/y", "right/x", "end/x"], "\(order)")
            #expect(order.firstIndex(of: "left/x") ?? 9 < order.firstIndex(of: "left/y") ?? 0)
            #expect(ExecSandbox.step(run, "skipped/x")["status"].text == "skipped")
            try box.shell("rm '\(box.notes)/order'")
            #expect(try box.exec("p.yml", "--only", "end").code == 0)
            #expect(box.lines("order") == ["end/x"])
            #expect(try box.exec("p.yml", "--job", "left", "--step", "y").code == 0)
            #expect(box.lines("order") == ["end/x", "left/y"])
            #expect(try box.exec("p.yml", "--job", "nobody").code == 3)
            let list = try box.exec("p.yml", "--list")
            #expect(list.code == 0 && list.output.contains("end <- left, right"), "\(list.output)")
            #expect(box.lines("order").count == 2, "--list runs nothing")
        }
    }

    @Test func inputsAreJudgedAndGiven() async throws {
        let definition = """
            inputs: { level: { type: choice, options: [debug, release] }, count: { type: number, default: 2 } }
            steps: [{ run: 'echo "$ANSFLOW_INPUT_LEVEL-$ANSFLOW_INPUT_COUNT"' }]
            """
        try await ExecSandbox.with(["p.yml": definition]) { box in
            let good = try box.exec("p.yml", "-i", "level=release", "--input", "count=3")
            #expect(good.code == 0 && good.output.contains("release-3"), "\(good)")
            let bad = try box.exec("p.yml", "-i", "level=fast")
            #expect(bad.code == 1 && bad.errors.contains("level"), "\(bad)")
        }
    }

    @Test func aMachineOfAnotherKindIsRefused() async throws {
        let files = [
            "arch.yml": "agents: { arch: s390x }\nsteps: [{ run: echo here }]\n",
            "pool.yml": "agents: { pool: big, os: linux }\nsteps: [{ run: echo here }]\n",
        ]
        try await ExecSandbox.with(files) { box in
            let refused = try box.exec("arch.yml")
            #expect(refused.code == 6 && refused.errors.contains("s390x"), "\(refused)")
            #expect(try box.exec("arch.yml", "--any-machine").code == 0)
            let pool = try box.exec("pool.yml")
            #expect(pool.code == 0 && pool.errors.contains("pool=big"), "\(pool)")
        }
    }

    @Test func outputComesWholeAndInOrder() async throws {
        let definition = "steps: [{ id: s, run: \"seq 1 20000; printf 'no end'\" }]\n"
        try await ExecSandbox.with(["p.yml": definition]) { box in
            let result = try box.exec("p.yml")
            let lines = result.output.split(separator: "\n").filter { $0.hasPrefix("main/s | ") }.map {
                $0.dropFirst(9)
            }
            let expected = (1...20_000).map { String($0) } + ["no end"]
            #expect(result.code == 0 && lines.dropFirst().elementsEqual(expected[...].map { $0[...] }))
        }
    }
}
