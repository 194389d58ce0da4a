import ControllerWebhooks
import Foundation
import TestSupport
import Testing

/// Rows 9, 12 and 17 of the security list: words from outside, payloads of another's repository, and logs side by side.
@Suite struct HostileDataTests {
    /// What a shell would run, in all the ways that it could.
    private static func attack(_ mark: String) -> String {
        "$(touch \(mark)) `touch \(mark)`; touch \(mark) | touch \(mark) && touch \(mark) #' \" ' ; touch \(mark)"
    }

    /// Words from outside reach a step as variables alone, byte for byte, wherever they come from.
    @Test func wordsFromOutsideAreNeverCommands() async throws {
        try await Cluster.with { cluster in
            let mark = cluster.work + "/ran"
            let attack = Self.attack(mark)
            let pipeline = try cluster.createPipeline(
                "words",
                """
                inputs: { word: { type: text } }
                on: { webhook: { source: w } }
                env: { FROM_PAYLOAD: "${{ payload.word }}" }
                jobs:
                  main:
                    steps:
                      - id: s
                        name: "shows ${{ payload.word }}"
                        env: { FROM_INPUT: "${{ inputs.word }}" }
                        run: |
                          printf '%s\\n' "$FROM_INPUT" "$FROM_PAYLOAD" "$ANSFLOW_INPUT_WORD" "$ANSFLOW_BRANCH" > \(cluster.work)/seen-$ANSFLOW_RUN_ID
                          echo "$FROM_INPUT" "$FROM_PAYLOAD"
                """)
            let run = try cluster.startRun(pipeline, ["inputs": ["word": .string(attack)]])
            try #require(try cluster.finish(run)["status"].text == "success")
            #expect(cluster.lines("seen-\(run)").filter { $0 == attack }.count == 2, "\(cluster.lines("seen-\(run)"))")
            _ = try cluster.api.call(
                "POST", "/api/v1/projects/1/hooks",
                [
                    "source": "generic", "name": "w", "secret": .string(WebhookTests.secret),
                    "pipelines": [.integer(pipeline)],
                ])
            let body = JSON.object(["word": .string(attack), "inputs": ["word": .string(attack)]]).bytes
            let answer = try APIClient(port: cluster.controller.port).request(
                "POST", "/webhooks/generic?hook=1",
                headers: ["X-Hub-Signature-256": "sha256=" + Signature.sign(body: body, secret: WebhookTests.secret)],
                body: body
            ).json()
            let judged = try WebhookTests.judged(cluster, try #require(answer["event_id"].int, "\(answer)"))
            // The input has no default, so that the delivery may also say that it is missing: what matters is that nothing ran.
            for item in judged["runs"].items {
                let id = try #require(item.int ?? item["id"].int ?? item["run_id"].int, "\(item)")
                let end = try cluster.finish(id)
                if end["status"].text == "success" { #expect(cluster.lines("seen-\(id)").contains(attack), "\(end)") }
            }
            // Names of branches are checked before anything is made of them.
            for branch in [attack, "--upload-pack=touch \(mark)", "a b", "a\u{7}b", "..", "a..b"] {
                let refused = try cluster.api.request(
                    "POST", "/api/v1/pipelines/\(pipeline)/runs",
                    body: JSON.object(["branch": .string(branch), "inputs": ["word": "x"]]).bytes)
                #expect(refused.status == 400 || refused.status == 422, "\(branch): \(refused.status)")
            }
            #expect(!TextFile.exists(mark))
        }
    }

    /// A secret of one hook says nothing about another repository, whatever the payload names.
    @Test func aSecretIsGoodForItsOwnRepositoryOnly() async throws {
        try await Cluster.with([]) { cluster in
            let own = try GitOrigin()
            let first = try own.commit(["a": "1"])
            let other = try GitOrigin()
            let foreign = try other.commit(["a": "2"])
            let pipelines = try [("own", own), ("other", other)].map { name, origin in
                try cluster.api.call(
                    "POST", "/api/v1/pipelines",
                    [
                        "name": .string(name),
                        "definition": "on: { push: { branches: main } }\nagents: { none: x }\nsteps: [{ run: make }]\n",
                        "repository": ["url": .string(origin.url), "ref": "main"],
                    ])["id"].int ?? 0
            }
            let hook = try WebhookTests.hook(cluster)
            let second = try cluster.api.call(
                "POST", "/api/v1/projects/1/hooks",
                ["source": "github", "name": "second", "secret": "another secret of enough bytes"])
            let good = try WebhookTests.send(
                cluster, WebhookTests.push(own, from: nil, to: first), id: "1", hook: hook)
            try #require(good.status == 202)
            let judged = try WebhookTests.judged(cluster, try #require(try good.json()["event_id"].int))
            try #require(judged["runs"].items.count == 1, "\(judged)")
            // Now that the hook is bound to its repository, neither another address under its id nor another id under its secret reaches
            // the other repository's pipeline.
            let payloads = [
                WebhookTests.push(other, from: nil, to: foreign),
                Array(
                    String(decoding: WebhookTests.push(other, from: nil, to: foreign), as: UTF8.self)
                        .replacingOccurrences(of: "4217", with: "9999").utf8),
            ]
            for (number, body) in payloads.enumerated() {
                let answer = try WebhookTests.send(cluster, body, id: "foreign-\(number)", hook: hook)
                try #require(answer.status == 202)
                let judged = try WebhookTests.judged(cluster, try #require(try answer.json()["event_id"].int))
                #expect(judged["runs"].items.count == (number == 0 ? 1 : 0), "\(judged)")
            }
            #expect(try cluster.api.get("/api/v1/pipeline-runs?pipeline_id=\(pipelines[1])")["total"].int == 0)
            let runs = try cluster.api.get("/api/v1/pipeline-runs")["total"].int
            // Another hook's secret does not open this one.
            let wrong = try WebhookTests.send(
                cluster, WebhookTests.push(own, from: nil, to: first), id: "2", hook: hook,
                secret: "another secret of enough bytes")
            #expect(wrong.status == 401 && second["id"].int != hook)
            #expect(try cluster.api.get("/api/v1/pipeline-runs")["total"].int == runs)
        }
    }

    /// Many steps that write at once: each log holds its own step's words and no other's.
    @Test func logsOfManyStepsAreNotMixed() async throws {
        let count = Binaries.isFull ? 100 : 24
        try await Cluster.with([.init("a1", slots: 6), .init("a2", slots: 6)]) { cluster in
            let pipeline = try cluster.createPipeline(
                "many",
                """
                jobs:
                  many:
                    matrix: { n: [\((1...count).map(String.init).joined(separator: ", "))] }
                    steps:
                      - id: s
                        run: |
                          i=0
                          while [ $i -lt 300 ]; do i=$((i + 1)); echo "own=<$ANSFLOW_MATRIX_N> line $i"; done
                """)
            let run = try cluster.startRun(pipeline)
            let end = try cluster.finish(run, within: 120)
            try #require(end["status"].text == "success", "\(end["message"])")
            let jobs = end["jobs"].items
            try #require(jobs.count == count)
            for job in jobs {
                let name = try #require(job["name"].text)
                let number = name.split(separator: "=").last.map { $0.filter(\.isNumber) } ?? ""
                let log = String(decoding: try cluster.rawLog(run, "\(name)/s"), as: UTF8.self)
                let words = log.split(separator: "\n").filter { $0.hasPrefix("own=<") && !$0.contains("$") }
                #expect(words.count == 300 && words.allSatisfy { $0.hasPrefix("own=<\(number)>") }, "\(name)")
            }
        }
    }
}
