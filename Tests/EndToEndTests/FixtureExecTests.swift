import Foundation
import TestSupport
import Testing

/// Pipelines that people really use, on the real tools of the machine, through `ansflow exec`.
@Suite struct FixtureExecTests {
    /// Whether the machine has these programs; the Debian packages are nodejs, clang, gcc, make, binutils, python3.
    private static func has(_ programs: String...) -> Bool {
        let checks = programs.map { "command -v \($0) >/dev/null" }.joined(separator: " && ")
        return (try? ChildProcess.run("/bin/sh", ["-c", checks]).code) == 0
    }

    private static func job(_ run: JSON, _ name: String) -> JSON {
        run["jobs"].items.first { $0["name"].text == name } ?? .null
    }

    private static func statuses(_ run: JSON) -> [String: String] {
        var statuses: [String: String] = [:]
        for job in run["jobs"].items { statuses[job["name"].text ?? ""] = job["status"].text }
        return statuses
    }

    @Test(.enabled(if: has("gcc", "clang", "make", "nm"), "it needs gcc, clang, make and nm"))
    func cLibraryWithAMatrixOfSanitizers() async throws {
        try await ExecSandbox.with(fixture: "c-library") { box in
            let run = try box.json(within: 120)
            #expect(run["jobs"].items.count == 7, "\(run)")
            for job in run["jobs"].items {
                let name = job["name"].text ?? ""
                // The cell with threads may fail: not every machine can run it.
                let allowed = name.contains("thread") ? ["success", "warning", "failed"] : ["success"]
                #expect(allowed.contains(job["status"].text ?? ""), "\(job)")
            }
            #expect(["success", "warning"].contains(run["status"].text), "\(run["message"])")
            // A defect that only a sanitizer sees.
            try box.shell("sed -i 's/ring_free(ring);//' tests/ring_test.c")
            let leaks = try box.json("--job", "test", "--cell", "cc=gcc", "--cell", "sanitizer=undefined", within: 120)
            #expect(leaks["status"].text == "success", "\(leaks)")
            try box.shell("sed -i 's/ring->count == ring->capacity/ring->count == ring->capacity + 1/' src/ring.c")
            let overflow = try box.json("--job", "test", "--cell", "cc=gcc", "--cell", "sanitizer=address", within: 120)
            #expect(overflow["status"].text == "failed", "\(overflow)")
        }
    }

    @Test(.enabled(if: has("python3"), "it needs python3")) func pythonProject() async throws {
        try await ExecSandbox.with(fixture: "python") { box in
            let run = try box.exec()
            #expect(run.code == 0 && run.output.contains("Ran 4 tests"), "\(run)")
            try box.shell("sed -i 's/15.00/16.00/' book.csv")
            let wrong = try box.json()
            #expect(ExecSandbox.step(wrong, "main/test")["status"].text == "success", "\(wrong)")
            #expect(ExecSandbox.step(wrong, "main/check")["status"].text == "failed", "an output reaches a later step")
        }
    }

    @Test(.enabled(if: has("node"), "it needs node, of the package nodejs")) func nodeProject() async throws {
        try await ExecSandbox.with(fixture: "node") { box in
            let run = try box.exec()
            #expect(run.code == 0 && run.output.contains("pass 4"), "\(run)")
            try box.write("lib/slug.js", "export function slug( {\n")
            let broken = try box.json()
            #expect(ExecSandbox.step(broken, "main/syntax")["status"].text == "failed", "\(broken)")
            #expect(ExecSandbox.step(broken, "main/test")["status"].text == "skipped", "\(broken)")
        }
    }

    @Test(.enabled(if: has("make"), "it needs make")) func monorepoRunsWhatChanged() async throws {
        try await ExecSandbox.with(fixture: "monorepo") { box in
            #expect(try Self.statuses(box.json()).values.allSatisfy { $0 == "success" })
            try box.write("web/index.html", "<title>New</title>\n")
            let web = Self.statuses(try box.json("--changed-since", "HEAD"))
            #expect(web == ["api": "skipped", "web": "success", "docs": "skipped", "all": "success"], "\(web)")
            try box.commit("two")
            try box.write("shared/version", "2.0\n")
            let shared = Self.statuses(try box.json("--changed-since", "HEAD"))
            #expect(shared == ["api": "failed", "web": "failed", "docs": "skipped", "all": "skipped"], "\(shared)")
        }
    }

    @Test func fanOutOfTwoHundredCells() async throws {
        try await ExecSandbox.with(fixture: "fan-out") { box in
            let run = try box.exec("--slots", "8", within: 180)
            #expect(run.code == 0, "\(run.errors)")
            var expected: Set<String> = []
            for row in "abcdefghij" {
                for column in 0..<20 { expected.insert("\(row)\(column * 7)") }
            }
            let lines = run.output.split(separator: "\n").compactMap { line -> String? in
                guard line.hasPrefix("cell["), !line.contains("| $ "), let bar = line.range(of: " | ") else {
                    return nil
                }
                return String(line[bar.upperBound...])
            }
            #expect(lines.count == 200 && Set(lines) == expected, "\(lines.count) lines")
        }
    }

    @Test func nightlyTriesAgainAndReports() async throws {
        try await ExecSandbox.with(fixture: "nightly") { box in
            let run = try box.json("--event", "cron")
            #expect(run["status"].text == "success", "\(run)")
            #expect(ExecSandbox.step(run, "soak[seed=2]/soak")["attempt"].int == 2, "\(run)")
            #expect(ExecSandbox.step(run, "soak[seed=1]/soak")["attempt"].int == 1)
            try box.shell("printf '#!/bin/sh\\nexit 1\\n' > soak.sh")
            let bad = try box.exec()
            #expect(
                bad.code == 1 && bad.output.contains("soak: failed"), "the report is made all the same: \(bad.output)")
        }
    }

    @Test func deployCleansUp() async throws {
        try await ExecSandbox.with(fixture: "deploy") { box in
            let target = "\(box.root)/server"
            try box.shell("mkdir '\(target)'")
            let good = try box.json("-i", "target=\(target)")
            #expect(good["status"].text == "success", "\(good)")
            #expect(
                TextFile.lines("\(target)/log") == ["begin 1", "end 1"] && TextFile.lines("\(target)/release") == ["1"])
            // A lock that somebody left makes the deploy fail, and clean-up takes it away.
            try box.shell("mkdir '\(target)/lock'")
            let locked = try box.json("-i", "target=\(target)")
            #expect(locked["status"].text == "failed" && !TextFile.exists("\(target)/lock"), "\(locked)")
            #expect(ExecSandbox.step(locked, "deploy/unlock")["status"].text == "success", "\(locked)")
            #expect(try box.exec().code == 1, "the target is required")
        }
    }

    @Test(.enabled(if: has("swift") && Binaries.isFull, "it takes a minute (ANSFLOW_TEST_FULL=1) and needs swift"))
    func swiftPackage() async throws {
        try await ExecSandbox.with(fixture: "swift-package") { box in
            let run = try box.json("--slots", "1", within: 1200)
            #expect(Self.statuses(run).values.allSatisfy { $0 == "success" }, "\(run)")
        }
    }
}
