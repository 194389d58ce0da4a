import Foundation
import TestSupport
import Testing

/// Words of the language that mean something of their own to `ansflow exec`.
@Suite struct ExecLanguageTests {
    @Test func cellsOfAMatrix() async throws {
        let definition = """
            jobs:
              build:
                matrix: { arch: [amd64, arm64], mode: [debug, release], exclude: [{ arch: arm64, mode: debug }] }
                steps: [{ run: 'echo "cell $ANSFLOW_MATRIX_ARCH $ANSFLOW_MATRIX_MODE"' }]
              all: { needs: [build], steps: [{ run: echo all }] }
            """
        try await ExecSandbox.with(["p.yml": definition]) { box in
            let whole = try box.exec("p.yml")
            #expect(whole.code == 0, "\(whole)")
            for cell in ["amd64 debug", "amd64 release", "arm64 release"] {
                #expect(whole.output.contains("| cell \(cell)"), "\(cell) in \(whole.output)")
            }
            #expect(!whole.output.contains("| cell arm64 debug"))
            let run = try box.json("p.yml", "--cell", "arch=amd64", "--cell", "mode=release")
            #expect(run["jobs"].items.map { $0["name"].text } == ["build[arch=amd64,mode=release]", "all"], "\(run)")
            #expect(try box.exec("p.yml", "--cell", "os=linux").code == 3)
        }
    }

    @Test func secretsComeByEnvironmentOrFileAndAreMasked() async throws {
        let definition = """
            steps:
              - id: s
                secrets: { API_KEY: api_key, OTHER: other }
                run: |
                  test "$API_KEY" = 'pass word 4711' && test "$OTHER" = quoted-secret
                  echo "key: $API_KEY"
                  printf %s "$API_KEY" | base64
                  printf %s "$API_KEY" | head -c 7; sleep 0.2; printf %s "$API_KEY" | tail -c 7
              - { id: t, run: 'test -z "$API_KEY"' }
            """
        try await ExecSandbox.with(["p.yml": definition]) { box in
            try TextFile.write("\(box.root)/secrets", "# of the tests\nother=\"quoted-secret\"\n")
            let environment = ["API_KEY": "pass word 4711"]
            let good = try box.exec(
                "p.yml", "--secret", "api_key", "--secrets", "\(box.root)/secrets", environment: environment)
            #expect(good.code == 0, "\(good)")
            #expect(good.output.contains("key: ") && !good.output.contains("4711"), "\(good.output)")
            #expect(!good.output.contains(Data("pass word 4711".utf8).base64EncodedString()), "\(good.output)")
            let missing = try box.exec("p.yml", "--secret", "api_key", environment: environment)
            #expect(missing.code == 2 && missing.errors.contains("other"), "\(missing)")
            #expect(try box.exec("p.yml", "--secret", "api_key").code == 2, "the variable is not set")
        }
    }

    @Test func approvalIsGivenBeforeOrRefused() async throws {
        let definition = """
            jobs:
              build: { steps: [{ run: echo built }] }
              deploy:
                needs: [build]
                environment: production
                concurrency: { group: production }
                approval: { by: [maintainer] }
                steps: [{ run: echo deployed }]
            """
        try await ExecSandbox.with(["p.yml": definition]) { box in
            let refused = try box.exec("p.yml")
            #expect(refused.code == 6 && refused.errors.contains("--approve 'deploy'"), "\(refused)")
            #expect(!refused.output.contains("| built"), "nothing has run")
            #expect(try box.exec("p.yml", "--job", "build").code == 0)
            let approved = try box.exec("p.yml", "--approve", "deploy")
            #expect(approved.code == 0 && approved.output.contains("| deployed"), "\(approved)")
            #expect(
                approved.errors.contains("production"), "groups are not observed, and that is said: \(approved.errors)")
        }
    }

    @Test func whatChangedSinceACommit() async throws {
        let definition = """
            jobs:
              api: { when: [{ paths: ["api/**"] }], steps: [{ run: echo api }] }
              web: { if: "changed('web/**')", steps: [{ run: echo web }] }
            """
        try await ExecSandbox.with(["p.yml": definition, "api/a": "1", "web/b": "1"]) { box in
            let all = try box.json("p.yml")
            #expect(all["jobs"].items.map { $0["status"].text } == ["success", "success"], "\(all)")
            try box.write("web/new", "2")
            let some = try box.json("p.yml", "--changed-since", "HEAD")
            #expect(some["jobs"].items.map { $0["status"].text } == ["skipped", "success"], "\(some)")
            #expect(try box.exec("p.yml", "--changed-since", "nowhere").code == 3)
        }
    }

    @Test func includedFilesAreRead() async throws {
        let files = [
            "p.yml": "include: [ci/common.yml]\njobs:\n  build: { needs: [lint], steps: [{ run: echo built }] }\n",
            "ci/common.yml": "jobs:\n  lint: { steps: [{ run: echo linted }] }\n",
        ]
        try await ExecSandbox.with(files) { box in
            let run = try box.exec("p.yml")
            #expect(run.code == 0 && run.output.contains("| linted") && run.output.contains("| built"), "\(run)")
            try box.write("q.yml", "include: [ci/none.yml]\nsteps: [{ run: x }]\n")
            #expect(try box.exec("q.yml").code != 0)
        }
    }
}
