import AnsFlowProtocol
import ControllerCore
import ControllerWebhooks
import Synchronization
import TestSupport
import Testing

/// Which pipelines forges are told not to wait for.
@Suite("Pipelines that paths rule out") struct RuledOutTests {
    private static let paths = "on: { push: { paths: [\"src/**\"] } }\nsteps: [{ run: make }]\n"

    @Test("only what paths rule out is told, before the delivery counts as judged") func pushes() async throws {
        try await Desk.with { desk in
            let origin = try GitOrigin()
            let first = try origin.commit(["src/a": "1"])
            let docs = try origin.commit(["docs/a": "1"])
            let skipped = try origin.commit(["docs/a": "2"], "words [skip ci]")
            let ruledOut = try await desk.pipeline("paths", Self.paths, url: origin.url)
            _ = try await desk.pipeline("tags", "on: { tag: 'v*' }\nsteps: [{ run: make }]", url: origin.url)
            _ = try await desk.pipeline(
                "branches", "on: { push: { branches: [release] } }\nsteps: [{ run: make }]", url: origin.url)
            // A pull request of this commit is judged by itself, and may well need it.
            _ = try await desk.pipeline(
                "both",
                "on: { push: { paths: [\"src/**\"] }, pull_request: { paths: [\"src/**\"] } }\nsteps: [{ run: make }]",
                url: origin.url)
            _ = try await desk.hook(.github)
            desk.ruledOut.failures.withLock { $0 = 1 }
            let failed = try await desk.judged(.github, Push.body(origin, from: first, to: docs))
            #expect(failed.row.state == .failed && failed.row.message.contains("the disk is full"))
            desk.advance(2_000)
            try await desk.worker.work()
            let judged = try await desk.view(failed.row.id)
            #expect(judged.row.state == .judged && judged.verdicts.allSatisfy { $0.outcome == .refused })
            let word = Desk.RuledOut.Word(
                pipeline: ruledOut.id, commit: docs, why: "`on.push.paths` matches no changed file.")
            #expect(desk.ruledOut.all == [word])
            let body = Push.body(origin, from: docs, to: skipped, message: "words [skip ci]")
            _ = try await desk.judged(.github, body, id: "two")
            #expect(desk.ruledOut.all == [word], "whoever writes [skip ci] does not make a check green")
        }
    }

    @Test("a stranger's own definition turns no check green") func strangers() async throws {
        try await Desk.with { desk in
            func text(_ paths: String) -> String {
                "on: { pull_request: { paths: [\"\(paths)\"] } }\nsteps: [{ run: make }]\n"
            }
            let origin = try GitOrigin()
            let base = try origin.commit([".ansflow.yml": text("src/**"), "src/a": "1"])
            let pipeline = try await desk.pipeline("p", text("src/**"), url: origin.url, path: ".ansflow.yml")
            try origin.git("checkout", "-q", "-b", "theirs")
            let evil = try origin.commit([".ansflow.yml": text("nothing/**"), "src/a": "2"])
            try origin.git("update-ref", "refs/pull/7/head", evil)
            try origin.git("checkout", "-q", "-b", "docs", base)
            let docs = try origin.commit(["docs/a": "1"])
            try origin.git("update-ref", "refs/pull/8/head", docs)
            _ = try await desk.hook(.github)
            func body(_ number: Int, _ head: String) -> [UInt8] {
                Array(
                    """
                    {"action": "opened", "number": \(number), "pull_request": {"number": \(number), "title": "x", "merged": false,
                     "user": {"login": "stranger"}, "head": {"ref": "main", "sha": "\(head)", "repo": {"id": 9}},
                     "base": {"ref": "main", "sha": "\(base)"}}, "repository": {"id": 4217, "clone_url": "\(origin.url)"},
                     "sender": {"login": "stranger"}}
                    """.utf8)
            }
            let bent = try await desk.judged(.github, body(7, evil), id: "a", event: "pull_request")
            #expect(bent.verdicts.map(\.outcome) == [.refused], "\(bent.verdicts)")
            #expect(desk.ruledOut.all.isEmpty)
            let honest = try await desk.judged(.github, body(8, docs), id: "b", event: "pull_request")
            #expect(honest.verdicts.map(\.outcome) == [.refused], "\(honest.verdicts)")
            #expect(desk.ruledOut.all.map(\.pipeline) == [pipeline.id] && desk.ruledOut.all.first?.commit == docs)
        }
    }
}
