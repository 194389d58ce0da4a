import AnsFlowProtocol
import ControllerCore
import ControllerStore
import ControllerWebhooks
import TestSupport
import Testing

@Suite("Judging webhooks") struct JudgingTests {
    private static let on = "on: { push: { branches: [main] } }\nsteps: [{ run: make }]\n"

    @Test("a push starts the pipelines of its repository, each with its reason") func push() async throws {
        try await Desk.with { desk in
            let origin = try GitOrigin()
            let first = try origin.commit([".ansflow.yml": Self.on])
            let second = try origin.commit([".ansflow.yml": "name: new\n" + Self.on])
            let stored = try await desk.pipeline("stored", Self.on, url: origin.url + ".git")
            let read = try await desk.pipeline("read", "", url: origin.url, path: ".ansflow.yml")
            let other = try await desk.pipeline("other", Self.on, url: "https://forge.example.org/octo/other")
            let release = try await desk.pipeline(
                "release", "on: { tag: 'v*' }\nsteps: [{ run: make }]", url: origin.url)
            let hook = try await desk.hook(.github)
            let view = try await desk.judged(.github, Push.body(origin, from: first, to: second))
            #expect(view.row.state == .judged && view.row.message.hasPrefix("push to main at \(second.prefix(8))"))
            let words = view.verdicts.map { "\($0.pipelineName): \($0.outcome.rawValue): \($0.message)" }.sorted()
            #expect(
                words == [
                    "read: started: main was pushed", "release: refused: Its `on` does not name `push`.",
                    "stored: started: main was pushed",
                ])
            let runs = try await desk.runs
            #expect(Set(runs.map(\.pipeline)) == [stored.id, read.id] && !runs.contains { $0.pipeline == other.id })
            #expect(runs.allSatisfy { $0.commit == second && $0.branch == "main" && $0.event == "push" && $0.trusted })
            #expect(runs[0].actor == "octo (hook widgets)" && view.verdicts.contains { $0.run == runs[0].id })
            #expect(!view.verdicts.contains { $0.pipeline == release.id && $0.run != nil })
            // The definition that people see is the newest one.
            #expect(try await desk.database.pipeline(read.id)?.definition.hasPrefix("name: new") == true)
            #expect(try await desk.database.hook(hook.id)?.row.repositoryID == "4217")
        }
    }

    @Test("path filters and changed() in a repository of several parts") func monorepo() async throws {
        try await Desk.with { desk in
            let origin = try GitOrigin()
            let first = try origin.commit(folder: FixtureFile.directory + "/pipelines/monorepo")
            let web = try origin.commit(["web/index.html": "<p>new</p>\n"])
            let docs = try origin.commit(["docs/index.md": "new\n"])
            _ = try await desk.pipeline("whole", "", url: origin.url, path: ".ansflow.yml")
            _ = try await desk.pipeline(
                "api", "on: { push: { paths: [\"api/**\"] } }\nsteps: [{ run: make }]", url: origin.url)
            _ = try await desk.pipeline(
                "web",
                "on: { push: { paths: [\"web/**\"] } }\njobs:\n  a: { if: \"changed('web/**')\", steps: [{ run: a }] }\n"
                    + "  b: { if: \"changed('api/**')\", steps: [{ run: b }] }\n", url: origin.url)
            _ = try await desk.hook(.github)
            let seen = try await desk.judged(.github, Push.body(origin, from: first, to: web))
            let api = try #require(seen.verdicts.first { $0.pipelineName == "api" })
            #expect(api.outcome == .refused && api.message == "`on.push.paths` matches no changed file.")
            let started = try #require(seen.verdicts.first { $0.pipelineName == "web" }?.run)
            let detail = try #require(try await desk.database.runDetail(started))
            #expect(detail.plan.facts.changedPaths == ["web/index.html"])
            #expect(detail.jobs.first { $0.name == "b" }?.outcome == .skipped)
            #expect(detail.jobs.first { $0.name == "a" }?.outcome == nil)
            let later = try await desk.judged(.github, Push.body(origin, from: web, to: docs), id: "two")
            #expect(later.verdicts.first { $0.pipelineName == "web" }?.outcome == .refused)
        }
    }

    @Test("pull requests of forks wait, those of the repository run") func pullRequests() async throws {
        try await Desk.with { desk in
            let origin = try GitOrigin()
            let base = try origin.commit([".ansflow.yml": "steps: [{ run: make }]\n"])
            try origin.git("checkout", "-q", "-b", "faster")
            let head = try origin.commit(["a": "1"])
            try origin.git("update-ref", "refs/pull/7/head", head)
            _ = try await desk.pipeline("p", "", url: origin.url, path: ".ansflow.yml")
            _ = try await desk.hook(.github)
            func body(_ fork: Bool, _ action: String) -> [UInt8] {
                Array(
                    """
                    {"action": "\(action)", "number": 7, "pull_request": {"number": 7, "title": "Faster", "merged": false,
                     "user": {"login": "stranger"}, "head": {"ref": "main", "sha": "\(head)", "repo": {"id": \(fork ? 9 : 4217)}},
                     "base": {"ref": "main", "sha": "\(base)"}}, "repository": {"id": 4217, "clone_url": "\(origin.url)"},
                     "sender": {"login": "stranger"}}
                    """.utf8)
            }
            _ = try await desk.judged(.github, body(false, "opened"), id: "a", event: "pull_request")
            _ = try await desk.judged(.github, body(true, "opened"), id: "b", event: "pull_request")
            let closed = try await desk.judged(.github, body(true, "closed"), id: "c", event: "pull_request")
            let runs = try await desk.runs
            #expect(runs.map(\.trusted) == [true, false] && runs.map(\.event) == ["pull_request", "pull_request"])
            // A fork's branch may have any name: no condition on `branch` is to take it for the repository's own.
            #expect(runs.allSatisfy { $0.branch == "" && $0.ref == "refs/pull/7/head" && $0.commit == head })
            #expect(runs[1].phase == .blocked)
            let facts = try #require(try await desk.database.runDetail(runs[1].id)).plan.facts
            #expect(
                facts.pullRequest == .init(number: 7, base: "main", head: "main", author: "stranger", title: "Faster"))
            #expect(facts.payload?.value(at: ["pull_request", "title"]) == .text("Faster"))
            #expect(closed.verdicts.map(\.message) == ["`on.pull_request.events` does not name `closed`."])
        }
    }

    @Test("a payload decides, for the pipelines that the hook names") func generic() async throws {
        try await Desk.with { desk in
            let text =
                "on: { webhook: { source: registry, where: \"payload.action == 'published'\" } }\nsteps: [{ run: make }]"
            let named = try await desk.pipeline("named", text)
            _ = try await desk.pipeline("unnamed", text)
            let hook = try await desk.hook(.generic, name: "registry", pipelines: [named])
            let good = try FixtureFile.bytes("webhooks/generic/published.json")
            let bad = try FixtureFile.bytes("webhooks/generic/yanked.json")
            let started = try await desk.judged(.generic, good, id: "a", hook: hook)
            let refused = try await desk.judged(.generic, bad, id: "b", hook: hook)
            #expect(started.verdicts.map(\.outcome) == [.started])
            #expect(refused.verdicts.map(\.message) == ["`on.webhook.where` is not true of what registry sent."])
            let broken = try await desk.judged(.generic, Array("{\"a\": ".utf8), id: "c", hook: hook)
            #expect(broken.row.state == .judged && broken.row.message.contains("could not be read as JSON"))
            #expect(try await desk.runs.count == 1)
        }
    }

    @Test("what starts nothing says why") func whyNot() async throws {
        try await Desk.with { desk in
            let origin = try GitOrigin()
            let first = try origin.commit([".ansflow.yml": Self.on])
            let skipped = try origin.commit(["a": "1"], "tidy [skip ci]")
            let hook = try await desk.hook(.github)
            func message(_ body: [UInt8], _ id: String, _ event: String = "push") async throws -> String {
                let view = try await desk.judged(.github, body, id: id, event: event, hook: hook)
                return view.verdicts.first?.message ?? view.row.message
            }
            #expect(
                try await message(Push.body(origin, from: nil, to: first), "a").contains("No pipeline of the project"))
            var row = try await desk.pipeline("p", "", url: origin.url, path: ".ansflow.yml")
            #expect(
                try await message(Push.body(origin, from: first, to: skipped, message: "tidy [skip ci]"), "b")
                    == "The commit's message says [skip ci].")
            #expect(
                try await message(Push.body(origin, "dev", from: nil, to: skipped), "c")
                    == "`on.push.branches` does not name the branch dev.")
            #expect(
                try await message(Push.body(origin, from: nil, to: first, repository: 5), "d")
                    .contains("belongs to the one with the id 4217"))
            let zero = String(repeating: "0", count: 40)
            #expect(try await message(Push.body(origin, from: first, to: zero), "e").contains("was deleted"))
            #expect(
                try await message(try FixtureFile.bytes("webhooks/github/ping.json"), "f", "ping").contains(
                    "the hook works"))
            let gone = String(repeating: "d", count: 40)
            #expect(
                try await message(Push.body(origin, from: first, to: gone), "g").contains("does not give the commit"))
            var draft = PipelineDraft(row)
            draft.path = "nope.yml"
            row = try await desk.database.update(row.id, draft, expected: nil, by: "t", at: 1)
            #expect(
                try await message(Push.body(origin, "x", from: nil, to: first), "h").contains("has no file `nope.yml`"))
            draft.enabled = false
            _ = try await desk.database.update(row.id, draft, expected: nil, by: "t", at: 1)
            #expect(try await message(Push.body(origin, "y", from: nil, to: first), "i") == "The pipeline is paused.")
            #expect(try await desk.runs.isEmpty)
        }
    }

    @Test("a definition that is wrong makes a run that says so") func invalid() async throws {
        try await Desk.with { desk in
            let origin = try GitOrigin()
            let commit = try origin.commit([".ansflow.yml": "steps: [{ rnu: x }]\n"])
            _ = try await desk.pipeline("p", "", url: origin.url, path: ".ansflow.yml")
            _ = try await desk.hook(.github)
            let view = try await desk.judged(.github, Push.body(origin, from: nil, to: commit))
            let run = try #require(try await desk.runs.first)
            #expect(run.phase == .finished && run.outcome == .invalid && run.message?.contains("rnu") == true, "\(run)")
            #expect(view.verdicts.map(\.run) == [run.id])
        }
    }

    @Test("several branches in one delivery each get their run") func several() async throws {
        try await Desk.with { desk in
            let pipeline = try await desk.pipeline("p")
            let hook = try await desk.hook(.bitbucket, pipelines: [pipeline])
            let body = try FixtureFile.bytes("webhooks/bitbucket/push-several.json")
            let view = try await desk.judged(.bitbucket, body, event: "repo:push", hook: hook)
            #expect(view.verdicts.map(\.part) == [0, 1, 2])
            #expect(view.verdicts.map(\.outcome) == [.started, .started, .refused])
            #expect(try await desk.runs.map(\.branch) == ["main", "feature/colours"])
        }
    }

    @Test("a repository that is away is tried again, and given up after some time") func retries() async throws {
        try await Desk.with { desk in
            let origin = try GitOrigin()
            let commit = try origin.commit([".ansflow.yml": Self.on])
            // Nobody listens there.
            _ = try await desk.pipeline("p", "", url: "http://127.0.0.1:9/octo/widgets", path: ".ansflow.yml")
            let hook = try await desk.hook(.github, url: "http://127.0.0.1:9/octo/widgets")
            let first = try await desk.judged(.github, Push.body(origin, from: nil, to: commit), hook: hook)
            #expect(first.row.state == .failed && first.row.retryAt == desk.time + 1_000 && first.row.tries == 1)
            try await desk.worker.work()
            #expect(try await desk.view(first.row.id).row.tries == 1, "not before its time")
            desk.advance(1_000)
            try await desk.worker.work()
            #expect(try await desk.view(first.row.id).row.tries == 2)
            desk.advance(2_000)
            try await desk.worker.work()
            let last = try await desk.view(first.row.id)
            #expect(last.row.state == .judged && last.verdicts.map(\.outcome) == [.failed], "\(last.row)")
            #expect(try await desk.runs.isEmpty)
        }
    }

    @Test("what a crash cut off is judged after the next start, once") func crash() async throws {
        var desk = try await Desk()
        defer { desk.end() }
        let pipeline = try await desk.pipeline("p")
        let hook = try await desk.hook(.github, pipelines: [pipeline])
        let id = try await desk.send(.github, try FixtureFile.bytes("webhooks/github/push.json"), hook: hook).id
        // Claimed, and nobody goes on.
        #expect(try await desk.database.claimDeliveries(limit: 10, now: desk.time).map(\.id) == [id])
        try await desk.worker.work()
        #expect(try await desk.runs.isEmpty)
        desk = try await desk.restarted()
        try await desk.worker.work()
        let view = try await desk.view(id)
        #expect(view.row.state == .judged && view.row.tries == 2)
        #expect(try await desk.runs.count == 1)
        desk = try await desk.restarted()
        try await desk.worker.work()
        #expect(try await desk.runs.count == 1)
        // Nothing can be judged twice, whoever asks.
        let wish = DeliveryWish(view.verdicts[0], request: nil)
        await #expect(throws: CommandFailure.self) {
            try await desk.engine.judge(DeliveryEnd(id, message: "again", wishes: [wish]))
        }
        #expect(try await desk.runs.count == 1)
    }

    @Test("a replay is a new delivery and a new run") func replay() async throws {
        try await Desk.with { desk in
            let pipeline = try await desk.pipeline("p")
            let hook = try await desk.hook(.github, pipelines: [pipeline])
            let first = try await desk.judged(.github, try FixtureFile.bytes("webhooks/github/push.json"), hook: hook)
            let id = try #require(try await desk.manager.replay(first.row.id, by: "test"))
            try await desk.worker.work()
            let again = try await desk.view(id)
            #expect(again.row.replayOf == first.row.id && again.row.proof == "replayed by test")
            #expect(again.verdicts.map(\.outcome) == [.started])
            #expect(try await desk.runs.count == 2)
            let test = try await desk.manager.test(hook.id, by: "test")
            try await desk.worker.work()
            #expect(try await desk.view(test).row.message.contains("works from here on"))
            #expect(try await desk.runs.count == 2)
        }
    }

    @Test("pushes that no webhook told of start runs, once") func catchUp() async throws {
        try await Desk.with { desk in
            let origin = try GitOrigin()
            let first = try origin.commit([".ansflow.yml": "steps: [{ run: make }]\n"])
            _ = try await desk.pipeline("p", "", url: origin.url, path: ".ansflow.yml")
            let hook = try await desk.hook(.github, catchUp: .start)
            let catchUp = CatchUp(
                store: desk.database, intake: desk.intake, pipelines: desk.database, repositories: desk.repositories,
                credentials: NoCredentials(), allowLocal: true, now: { desk.time })
            await catchUp.look()
            try await desk.worker.work()
            #expect(try await desk.runs.isEmpty, "nothing was ever delivered, so nothing is missed")
            _ = try await desk.judged(.github, Push.body(origin, from: nil, to: first), hook: hook)
            await catchUp.look()
            try await desk.worker.work()
            #expect(try await desk.runs.count == 1)
            let second = try origin.commit(["a": "1"])
            try origin.git("branch", "dev")
            for _ in 0..<2 {
                await catchUp.look()
                try await desk.worker.work()
            }
            let runs = try await desk.runs
            #expect(runs.count == 3 && Set(runs.dropFirst().map(\.branch)) == ["main", "dev"])
            #expect(runs.dropFirst().allSatisfy { $0.commit == second && $0.event == "push" })
            // The forge delivers it after all.
            let late = try await desk.judged(
                .github, Push.body(origin, from: first, to: second), id: "late", hook: hook)
            #expect(late.row.message.contains("made up for already"))
            #expect(try await desk.runs.count == 3)
        }
    }
}
