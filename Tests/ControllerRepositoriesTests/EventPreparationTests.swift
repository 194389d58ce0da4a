import ControllerCore
import ControllerRepositories
import TestSupport
import Testing

@Suite("Preparing runs of events") struct EventPreparationTests {
    private func preparation(_ origin: GitFixture, _ store: MemoryStore = MemoryStore()) throws -> RunPreparation {
        RunPreparation(
            compiler: LineReader(), repositories: try origin.cache(), credentials: NoCredentials(), pipelines: store,
            configuration: .init(allowLocal: true, now: { 5 }))
    }

    private func push(_ commit: String, from: String?) -> RunWish {
        var wish = RunWish(event: "push", ref: "refs/heads/main", commit: commit, actor: "hook")
        wish.trigger = .push(branch: "main", .updated)
        wish.comparison = PathComparison(from: from)
        return wish
    }

    @Test("a path filter is judged by what git says changed") func pathFilter() async throws {
        let origin = try GitFixture()
        let first = try origin.commit(["ci.yml": "paths: api/**", "api/a": "1", "web/w": "1"])
        let web = try origin.commit(["web/w": "2"])
        let api = try origin.commit(["api/a": "2"])
        let preparation = try preparation(origin)
        let pipeline = PipelineRow("", url: origin.url, ref: "main", path: "ci.yml")
        let refused = await #expect(throws: RunRefusal.self) {
            try await preparation.prepare(pipeline, push(web, from: first))
        }
        #expect(refused == .trigger("`on.push.paths` matches no changed file."))
        let run = try await preparation.prepare(pipeline, push(api, from: web))
        #expect(run.branch == "main" && run.commit == api && run.reason == "main was pushed")
        #expect(run.plan.facts.changedPaths == ["api/a"])
        // A commit that is gone: nobody knows what changed, and everything counts.
        let forced = try await preparation.prepare(pipeline, push(web, from: String(repeating: "a", count: 40)))
        #expect(forced.plan.facts.changedPaths == nil)
        var skipped = push(api, from: web)
        skipped.message = "tidy up [skip ci]"
        let skip = await #expect(throws: RunRefusal.self) { try await preparation.prepare(pipeline, skipped) }
        #expect(skip == .trigger("The commit's message says [skip ci]."))
    }

    @Test("git is asked what changed only where the definition asks") func lazily() async throws {
        let origin = try GitFixture()
        let first = try origin.commit(["plain.yml": "text", "asks.yml": "if: changed('a')", "a": "1"])
        let second = try origin.commit(["a": "2"])
        let preparation = try preparation(origin)
        func changed(_ path: String) async throws -> [String]? {
            let pipeline = PipelineRow("", url: origin.url, ref: "main", path: path)
            return try await preparation.prepare(pipeline, push(second, from: first)).plan.facts.changedPaths
        }
        #expect(try await changed("plain.yml") == nil)
        #expect(try await changed("asks.yml") == ["a"])
    }

    @Test("a fork's run waits unless the pipeline's own definition says it need not") func forks() async throws {
        let origin = try GitFixture()
        try origin.commit(["ci.yml": "forks: free", "a": "1"])
        let base = try origin.head()
        try origin.git("checkout", "-q", "-b", "theirs")
        let head = try origin.commit(["a": "2", "b": "1"])
        try origin.git("update-ref", "refs/pull/3/head", head)
        let preparation = try preparation(origin)
        var wish = RunWish(event: "pull_request", ref: "refs/pull/3/head", commit: head, actor: "hook")
        wish.trigger = .pullRequest(base: "main", .opened, isFork: true)
        wish.trusted = false
        wish.comparison = PathComparison(from: base, sinceMergeBase: true)
        wish.payload = .object(["action": .text("opened")])
        wish.pullRequest = .init(number: 3, base: "main", head: "theirs", author: "octo", title: "More")
        var pipeline = PipelineRow("", url: origin.url, ref: "main", path: "ci.yml")
        let waits = try await preparation.prepare(pipeline, wish)
        #expect(!waits.plan.facts.trusted && !waits.plan.facts.skipsApproval && waits.branch == "")
        #expect(waits.plan.facts.pullRequest?.number == 3 && waits.plan.facts.payload == wish.payload)
        pipeline.definition = "forks: free"
        let free = try await preparation.prepare(pipeline, wish)
        #expect(!free.plan.facts.trusted && free.plan.facts.skipsApproval)
    }

    @Test("the newest push to the pipeline's own branch is what people see of it") func noted() async throws {
        let origin = try GitFixture()
        let commit = try origin.commit(["ci.yml": "new"])
        let store = MemoryStore()
        let pipeline = PipelineRow("old", url: origin.url, ref: "main", path: "ci.yml")
        store.put(pipeline)
        let preparation = try preparation(origin, store)
        var wish = push(commit, from: nil)
        _ = try await preparation.prepare(pipeline, wish)
        #expect(try await store.pipeline(pipeline.id)?.definition == "old")
        wish.isNewestOfOwnRef = true
        _ = try await preparation.prepare(pipeline, wish)
        #expect(try await store.pipeline(pipeline.id)?.definition == "new")
    }
}
