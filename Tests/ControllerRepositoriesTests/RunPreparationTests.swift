import ControllerCore
import ControllerRepositories
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("Preparing runs") struct RunPreparationTests {
    private func preparation(
        _ origin: GitFixture, _ store: MemoryStore, limit: Duration = .seconds(20)
    ) throws -> RunPreparation {
        var configuration = RunPreparation.Configuration(
            allowLocal: true, now: { 5 }, zoneExists: { $0 == "UTC" })
        configuration.limit = limit
        configuration.commitLimit = limit
        configuration.pauses = [.milliseconds(10)]
        return RunPreparation(
            compiler: LineReader(), repositories: try origin.cache { $0.contactLimit = .seconds(3) },
            credentials: NoCredentials(), pipelines: store, configuration: configuration)
    }

    private func refusal(
        _ preparation: RunPreparation, _ pipeline: PipelineRow, _ wish: RunWish = RunWish(actor: "me")
    ) async throws -> RunRefusal {
        do {
            throw TestFailure("A refusal was expected, and \(try await preparation.prepare(pipeline, wish)) came.")
        } catch let refusal as RunRefusal {
            return refusal
        }
    }

    @Test("the definition is read at the run's commit, with what it includes, and noted") func fromRepository()
        async throws
    {
        let origin = try GitFixture()
        let first = try origin.commit([
            "ci.yml": "one\ninclude: ci/a.yml\n", "ci/a.yml": "include: ci/b.yml\n", "ci/b.yml": "b",
        ])
        let second = try origin.commit(["ci.yml": "two"])
        try origin.git("branch", "old", first)
        let store = MemoryStore()
        let pipeline = PipelineRow("", url: origin.url, ref: "main", path: "ci.yml")
        store.put(pipeline)
        let preparation = try preparation(origin, store)
        let now = try await preparation.prepare(pipeline, RunWish(actor: "me"))
        #expect(now.commit == second && now.branch == "main" && now.ref == "main")
        #expect(now.plan.environment["definition"] == "two")
        #expect(try await store.pipeline(pipeline.id)?.definition == "two")
        // Another branch has its own, and does not change what is shown of the pipeline.
        let then = try await preparation.prepare(pipeline, RunWish(ref: "old", actor: "me"))
        #expect(then.commit == first && then.branch == "old")
        #expect(then.plan.environment["ci/a.yml"] == "include: ci/b.yml\n" && then.plan.environment["ci/b.yml"] == "b")
        #expect(try await store.pipeline(pipeline.id)?.definition == "two")
        let exact = try await preparation.prepare(pipeline, RunWish(commit: first, actor: "me"))
        #expect(exact.commit == first && exact.plan.environment["definition"]?.hasPrefix("one") == true)
    }

    @Test("a stored definition gets its commit, or runs without where the host can't be reached") func stored()
        async throws
    {
        let origin = try GitFixture()
        let store = MemoryStore()
        let patient = try preparation(origin, store)
        let preparation = try preparation(origin, store, limit: .seconds(1))
        let found = try await patient.prepare(PipelineRow("text", url: origin.url), RunWish(actor: "me"))
        #expect(found.commit == (try origin.head()) && found.branch == "main" && found.ref == "")
        let gone = try await patient.prepare(PipelineRow("text", url: origin.url + "-not"), RunWish(actor: "me"))
        #expect(gone.commit == "" && gone.plan.environment["definition"] == "text")
        #expect(try await preparation.prepare(PipelineRow("text"), RunWish(actor: "me")).commit == "")
        let server = try GitHTTPServer(origin.path, .init(hangs: true))
        defer { server.stop() }
        let begin = ContinuousClock.now
        let silent = try await preparation.prepare(
            PipelineRow("text", url: server.url), RunWish(ref: "dev", actor: "me"))
        #expect(silent.commit == "" && silent.branch == "dev")
        #expect(ContinuousClock.now - begin < .seconds(6))
    }

    @Test("why there is no run") func refusals() async throws {
        let origin = try GitFixture()
        try origin.commit([
            "inc.yml": "include: nope.yml", "bad.yml": "bad", "hand.yml": "manual: false",
            "loop.yml": "include: loop.yml",
        ])
        let impatient = try preparation(origin, MemoryStore(), limit: .seconds(2))
        let preparation = try preparation(origin, MemoryStore())
        func pipeline(_ path: String, ref: String = "", credential: String = "") -> PipelineRow {
            PipelineRow("", url: origin.url, ref: ref, path: path, credential: credential)
        }
        guard case .repository(let missing) = try await refusal(preparation, pipeline("nope.yml")),
            case .repository(let noRef) = try await refusal(preparation, pipeline("inc.yml", ref: "nope")),
            case .repository(let denied) = try await refusal(preparation, pipeline("inc.yml", credential: "KEY")),
            case .definition(let include) = try await refusal(preparation, pipeline("inc.yml")),
            case .definition(let loop) = try await refusal(preparation, pipeline("loop.yml")),
            case .definition(let bad) = try await refusal(preparation, pipeline("bad.yml")),
            case .trigger(let hand) = try await refusal(preparation, pipeline("hand.yml"))
        else {
            Issue.record("another refusal was expected")
            return
        }
        #expect(missing.reason == .noSuchFile && noRef.reason == .noSuchRef && denied.reason == .denied)
        #expect(include.first?.message.contains("nope.yml") == true && include.first?.file == "inc.yml")
        #expect(loop.first?.message.contains("circle") == true && bad.first?.file == "bad.yml")
        #expect(hand.contains("manual: false"))
        // Nobody starts a schedule by hand, so that word does not hinder it.
        _ = try await preparation.prepare(pipeline("hand.yml"), RunWish(event: "push", actor: "hook"))
        let server = try GitHTTPServer(origin.path, .init(hangs: true))
        defer { server.stop() }
        let begin = ContinuousClock.now
        let late = try await refusal(impatient, PipelineRow("", url: server.url, path: "x"))
        #expect(late.mayRetry && ContinuousClock.now - begin < .seconds(8))
    }

    @Test("a host that is away for a moment is asked again") func retry() async throws {
        let origin = try GitFixture()
        let server = try GitHTTPServer(origin.path, .init(status: "503 Service Unavailable"))
        defer { server.stop() }
        var configuration = RunPreparation.Configuration(allowLocal: true, now: { 5 })
        configuration.pauses = [.milliseconds(600)]
        let preparation = RunPreparation(
            compiler: LineReader(), repositories: try origin.cache(), credentials: NoCredentials(),
            pipelines: MemoryStore(), configuration: configuration)
        async let run = preparation.prepare(
            PipelineRow("", url: server.url, path: ".ansflow.yml"), RunWish(actor: "me"))
        try await sooner(than: 10, "the first try") { server.requests.withLock { !$0.isEmpty } }
        server.behaviour.withLock { $0.status = nil }
        #expect(try await run.commit == (try origin.head()))
    }

    @Test("what is to be saved is read and judged first") func drafts() async throws {
        let origin = try GitFixture()
        try origin.commit(["good.yml": "cron: 0 0 * * *", "zone.yml": "cron: 0 0 * * *\nzone: Mars/Olympus"])
        let preparation = try preparation(origin, MemoryStore())
        var draft = PipelineDraft(name: "p", definition: "", repositoryURL: origin.url, path: "good.yml")
        #expect(try await preparation.definition(of: draft).hasPrefix("cron"))
        draft.path = "zone.yml"
        let error = await #expect(throws: RunRefusal.self) { try await preparation.definition(of: draft) }
        guard case .definition(let diagnostics) = error else {
            Issue.record("\(error.debugDescription)")
            return
        }
        #expect(diagnostics.first?.message.contains("Mars/Olympus") == true)
    }

    @Test("credentials are told apart by their text") func credentials() {
        #expect(GitCredential(secret: " abc \n") == .token(user: "", token: "abc"))
        #expect(GitCredential(secret: "me:abc:d") == .token(user: "me", token: "abc:d"))
        let key = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"
        #expect(
            GitCredential(secret: key + "\nhost ssh-ed25519 AAAA\nhost2 x y\n")
                == .sshKey(key: key, knownHosts: "host ssh-ed25519 AAAA\nhost2 x y"))
        #expect(GitCredential(secret: key.replacing("\n", with: "\r\n")) == .sshKey(key: key, knownHosts: ""))
    }
}
