import Foundation
import TestSupport
import Testing

/// Secrets, outputs, artifacts and test reports, from the file to the command line.
@Suite struct KeepingTests {
    private func log(_ cluster: Cluster, _ run: Int64, _ step: String) throws -> String {
        try cluster.api.request("GET", cluster.logPath(run, step, "format=text")).text
    }

    @Test func secretsReachTheirStepAndNoLog() async throws {
        try await Cluster.with { cluster in
            let ansflow = CommandLineClient(cluster)
            let value = try ansflow.file("value", "s3cret-of-the-test\n")
            for place in [[], ["--env", "live"]] {
                let set = try ChildProcess.run(
                    "/bin/sh",
                    ["-c", "\(Binaries.client) secret set token \(place.joined(separator: " ")) < \(value)"],
                    environment: ansflow.environment, within: 30)
                try #require(set.code == 0, "\(set)")
            }
            let listed = try ansflow("secret", "list")
            #expect(listed.output.contains("token") && !listed.output.contains("s3cret"))
            let pipeline = try cluster.createPipeline(
                "p",
                """
                jobs:
                  main:
                    environment: live
                    steps:
                      - id: with
                        secrets: { TOKEN: token }
                        run: |
                          printf %s "$TOKEN" > \(cluster.work)/seen
                          echo "plain $TOKEN"
                          printf %s "$TOKEN" | base64
                          printf 'run-time-secret' | \(Binaries.agent) mask
                          echo "later run-time-secret"
                          echo "leak=<$TOKEN>" >> "$ANSFLOW_OUTPUT"
                      - id: without
                        run: echo "none ${TOKEN:-is there}"
                """)
            let run = try cluster.startRun(pipeline)
            let done = try cluster.finish(run)
            #expect(done["status"].text == "success", "\(done)")
            #expect(cluster.lines("seen") == ["s3cret-of-the-test"])
            let text = try log(cluster, run, "main/with")
            #expect(text.contains("plain ***") && text.contains("later ***"), "\(text)")
            #expect(text.contains("An output of this step held a secret"))
            #expect(!text.contains("s3cret") && !text.contains("czNjcmV0") && !text.contains("run-time-secret\n"))
            #expect(try log(cluster, run, "main/without").contains("none is there"))
            let shown = try cluster.api.request("GET", "/api/v1/pipeline-runs/\(run)").text
            #expect(!shown.contains("s3cret"))
            // Nothing on the controller's disk holds the value in the clear.
            let found = try ChildProcess.run(
                "/bin/sh", ["-c", "grep -r -l s3cret-of-the-test \(cluster.root)/controller || true"], environment: [:],
                within: 30)
            #expect(found.output.isEmpty, "\(found.output)")
            #expect(try ansflow("secret", "delete", "token").code == 0)
            #expect(try ansflow("secret", "delete", "token", "--env", "live").code == 0)
            let missing = try cluster.finish(try cluster.startRun(pipeline))
            let step = missing["jobs"][0]["steps"][0]
            #expect(missing["status"].text == "failed" && step["cause"].text == "config", "\(step)")
            #expect(step["message"].text?.contains("ansflow secret set token") == true, "\(step)")
        }
    }

    @Test func artifactsAndReportsGoThroughARun() async throws {
        try await Cluster.with { cluster in
            let ansflow = CommandLineClient(cluster)
            let pipeline = try cluster.createPipeline(
                "p",
                """
                jobs:
                  build:
                    steps:
                      - id: make
                        run: |
                          mkdir -p out/deep
                          head -c 3000000 /dev/urandom > out/deep/big.bin
                          echo '#!/bin/sh' > out/app; echo 'echo it runs' >> out/app; chmod +x out/app
                          echo noise > out/x.o
                          sha256sum out/deep/big.bin | cut -c1-64 > \(cluster.work)/sum
                          echo "version=1.2" >> "$ANSFLOW_OUTPUT"
                          echo '<testsuite name="unit"><testcase name="good"/><testcase name="bad"><failure message="no"/></testcase></testsuite>' > report.xml
                        reports: { junit: report.xml }
                    artifacts: [{ paths: ["out/**", "!**/*.o"], keep: 2d }]
                  use:
                    needs: [build]
                    artifacts: { from: build }
                    steps:
                      - id: see
                        env: { VERSION: "${{ needs.build.outputs.version }}" }
                        run: |
                          sha256sum out/deep/big.bin | cut -c1-64 > \(cluster.work)/sum2
                          ./out/app
                          test ! -e out/x.o
                """)
            let run = try cluster.startRun(pipeline)
            let done = try cluster.finish(run)
            #expect(done["status"].text == "success", "\(done)")
            #expect(try log(cluster, run, "use/see").contains("it runs"))
            #expect(cluster.lines("sum") == cluster.lines("sum2") && !cluster.lines("sum").isEmpty)
            let listed = try ansflow("artifact", "list", "\(run)")
            #expect(listed.output.contains("out/deep/big.bin") && listed.output.contains("out/app"), "\(listed)")
            #expect(!listed.output.contains("x.o"))
            let target = "\(cluster.work)/got"
            let got = try ansflow("artifact", "get", "\(run)", "out/deep/big.bin", "-o", target)
            #expect(got.code == 0, "\(got)")
            let sum = try ChildProcess.run(
                "/bin/sh", ["-c", "sha256sum \(target) | cut -c1-64"], environment: [:], within: 30)
            #expect(sum.output.split(separator: "\n").map(String.init) == cluster.lines("sum"))
            // A part of an earlier try is gone on with.
            _ = try ChildProcess.run(
                "/bin/sh", ["-c", "head -c 1000000 \(target) > \(target)2.part"], environment: [:], within: 30)
            #expect(try ansflow("artifact", "get", "\(run)", "build", "out/deep/big.bin", "-o", target + "2").code == 0)
            let same = try ChildProcess.run(
                "/bin/sh", ["-c", "cmp \(target) \(target)2"], environment: [:], within: 30)
            #expect(same.code == 0)
            let archive = try ansflow("artifact", "get", "\(run)", "build", "--archive", "-o", target + ".tar")
            #expect(archive.code == 0, "\(archive)")
            let names = try ChildProcess.run("/bin/sh", ["-c", "tar tf \(target).tar"], environment: [:], within: 30)
            #expect(names.output == "out/app\nout/deep/big.bin\n")
            #expect(try ansflow("artifact", "get", "\(run)", "nothing").code == 3)
            let tests = try ansflow("tests", "\(run)")
            #expect(tests.code == 1 && tests.output.contains("unit: bad"), "\(tests)")
            #expect(tests.output.contains("2 tests: 1 passed, 1 failed"), "\(tests)")
        }
    }
}
