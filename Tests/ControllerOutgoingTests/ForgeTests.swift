import AnsFlowProtocol
import ControllerCore
import ControllerStore
import Foundation
import TestSupport
import Testing

@testable import ControllerOutgoing

@Suite struct ForgeTests {
    private static let words: [FakeForge.Kind: [String]] = [
        .github: ["pending", "pending", "failure", "pending", "success", "error"],
        .gitlab: ["pending", "running", "failed", "pending", "success", "canceled"],
        .gitea: ["pending", "pending", "failure", "pending", "success", "error"],
        .bitbucket: ["INPROGRESS", "INPROGRESS", "FAILED", "INPROGRESS", "SUCCESSFUL", "STOPPED"],
    ]

    @Test(arguments: FakeForge.Kind.allCases)
    func eachForgeIsToldInItsOwnWords(_ kind: FakeForge.Kind) async throws {
        try await withOutbox { outbox in
            let forge = try FakeForge(kind)
            defer { forge.stop() }
            let connection = try await outbox.connect(forge)
            try await outbox.commit(run: 1, .queued)
            try await outbox.work()
            try await outbox.commit(run: 1, .running)
            try await outbox.work()
            try await outbox.commit(run: 1, .finished, .failed, message: "no disk")
            try await outbox.work()
            try await outbox.commit(run: 2, .queued)
            try await outbox.work()
            try await outbox.commit(run: 2, .finished, .warning)
            try await outbox.work()
            try await outbox.commit(run: 3, .finished, .cancelled)
            try await outbox.work()
            let told = forge.statuses
            #expect(told.map(\.state) == Self.words[kind])
            #expect(Set(told.map(\.context)) == ["ansflow/service"])
            #expect(told[2].summary == "Failed in 1m 12s: no disk")
            #expect(told[2].link == "https://ci.example.org/api/v1/pipeline-runs/1")
            #expect(told[4].summary == "Succeeded with warnings in 1m 12s")
            let last = try await outbox.status(connection)
            #expect(last.delivery.state == .sent)
            #expect(last.status.run == 3)
        }
    }

    @Test func onlyTheNewestStateIsSentAndNothingStaleAfterIt() async throws {
        try await withOutbox { outbox in
            let forge = try FakeForge(.github)
            defer { forge.stop() }
            _ = try await outbox.connect(forge)
            try await outbox.commit(run: 1, .queued)
            try await outbox.commit(run: 1, .running)
            try await outbox.commit(run: 2, .queued)
            try await outbox.work()
            #expect(forge.statuses.map(\.state) == ["pending"])
            #expect(forge.statuses.map(\.link) == ["https://ci.example.org/api/v1/pipeline-runs/2"])
            // The older run ends later: what the newer says stands.
            try await outbox.commit(run: 1, .finished, .failed)
            try await outbox.work()
            try await outbox.commit(run: 2, .finished, .success)
            try await outbox.work()
            #expect(forge.statuses.map(\.state) == ["pending", "success"])
        }
    }

    @Test func aPipelineThatIsRuledOutHindersNobody() async throws {
        try await withOutbox { outbox in
            let forge = try FakeForge(.gitlab)
            defer { forge.stop() }
            let connection = try await outbox.connect(forge)
            try await outbox.database.ruledOut(
                pipeline: PipelineID(1), commit: FakeForge.commit, why: "No changed file matches `src/**`.")
            try await outbox.work()
            #expect(forge.statuses.map(\.state) == ["success"])
            #expect(forge.statuses.first?.summary == "Not needed: No changed file matches `src/**`.")
            // A run has the last word, and keeps it.
            try await outbox.commit(run: 1, .finished, .failed)
            try await outbox.work()
            try await outbox.database.ruledOut(pipeline: PipelineID(1), commit: FakeForge.commit, why: "Again.")
            try await outbox.work()
            #expect(forge.statuses.map(\.state) == ["success", "failed"])
            #expect(try await outbox.status(connection).status.run == 1)
            try await outbox.database.ruledOut(pipeline: PipelineID(1), commit: "main", why: "No commit.")
            #expect(try await outbox.status(connection).status.run == 1)
        }
    }

    @Test func whatWasNotSentIsSentAfterAKill() async throws {
        try await withOutbox { outbox in
            let forge = try FakeForge(.gitea)
            defer { forge.stop() }
            let connection = try await outbox.connect(forge)
            // Committed, not looked at.
            try await outbox.commit(run: 1, .finished, .success)
            try outbox.restart()
            try await outbox.work()
            #expect(forge.statuses.map(\.state) == ["success"])
            // Looked at, not sent.
            try await outbox.commit(run: 2, .finished, .failed)
            try await outbox.worker.derive()
            try outbox.restart()
            try await outbox.work()
            #expect(forge.statuses.map(\.state) == ["success", "failure"])
            // Taken up, not noted.
            try await outbox.commit(run: 3, .finished, .success)
            try await outbox.worker.derive()
            let job = try await outbox.worker.due()
            #expect(job.count == 1)
            try outbox.restart()
            try await outbox.work()
            try outbox.restart()
            try await outbox.work()
            #expect(forge.statuses.map(\.state) == ["success", "failure", "success"])
            #expect(try await outbox.status(connection).delivery.state == .sent)
        }
    }

    @Test func failuresAreTriedAgainWithPauses() async throws {
        try await withOutbox { outbox in
            let forge = try FakeForge(.github)
            defer { forge.stop() }
            let connection = try await outbox.connect(forge)
            forge.script(HTTPPeer.Reply(502), .cut, HTTPPeer.Reply(500))
            try await outbox.commit(run: 1, .finished, .success)
            for (tries, pause) in [(1, 5_000), (2, 10_000), (3, 20_000)] {
                try await outbox.work()
                let view = try await outbox.status(connection)
                #expect(view.delivery.state == .waiting)
                #expect(view.delivery.tries == tries)
                #expect(view.delivery.dueAt == outbox.now + Int64(pause))
                #expect(view.delivery.error?.isEmpty == false)
                outbox.pass(Int64(pause) - 1)
                try await outbox.work()
                #expect(forge.requests.count == tries)
                outbox.pass(1)
            }
            try await outbox.work()
            #expect(forge.statuses.map(\.state) == ["success"])
            #expect(try await outbox.status(connection).delivery.error == nil)
        }
    }

    @Test func limitsAreRespectedForTheWholeConnection() async throws {
        try await withOutbox { outbox in
            let forge = try FakeForge(.github)
            defer { forge.stop() }
            _ = try await outbox.connect(forge)
            forge.script(HTTPPeer.Reply(403, [("Retry-After", "60")], "secondary rate limit"))
            try await outbox.commit(run: 1, .queued)
            try await outbox.work()
            #expect(forge.requests.count == 1)
            // Another commit's status waits as well.
            try await outbox.commit(run: 2, .queued, commit: String(repeating: "ab", count: 20))
            outbox.pass(59_000)
            try await outbox.work()
            #expect(forge.requests.count == 1)
            outbox.pass(1_000)
            let reset = (outbox.now + 120_000) / 1000
            forge.script(
                HTTPPeer.Reply(403, [("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", String(reset))], "limit"))
            try await outbox.work()
            let before = forge.requests.count
            outbox.pass(100_000)
            try await outbox.work()
            #expect(forge.requests.count == before)
            outbox.pass(30_000)
            try await outbox.work()
            #expect(forge.statuses.map(\.state).contains("pending"))
        }
    }

    @Test func whatCanNotWorkIsGivenUpAndSaysWhy() async throws {
        let cases: [(HTTPPeer.Reply, String)] = [
            (.json(401, ["message": "Bad credentials"]), "does not take the token"),
            (.json(403, ["message": "Resource not accessible"]), "forbids it"),
            (HTTPPeer.Reply(301, [("Location", "https://new.example.org/")]), "has moved to https://new.example.org/"),
            (HTTPPeer.Reply(400), "does not take it (400)"),
        ]
        for (reply, text) in cases {
            try await withOutbox { outbox in
                let forge = try FakeForge(.gitea)
                defer { forge.stop() }
                let connection = try await outbox.connect(forge)
                forge.script(reply)
                try await outbox.commit(run: 1, .finished, .success)
                try await outbox.work()
                let view = try await outbox.status(connection)
                #expect(view.delivery.state == .gaveUp)
                #expect(view.delivery.error?.contains(text) == true, "\(view.delivery.error ?? "")")
                #expect(forge.requests.count == 1)
            }
        }
    }

    @Test func aCommitThatIsNotThereYetIsTriedAFewTimes() async throws {
        try await withOutbox { outbox in
            let forge = try FakeForge(.github)
            defer { forge.stop() }
            let connection = try await outbox.connect(forge)
            try await outbox.commit(run: 1, .queued, commit: String(repeating: "0a", count: 20))
            for _ in 0..<6 {
                try await outbox.work()
                outbox.pass(3_600_000)
            }
            let view = try await outbox.status(connection)
            #expect(view.delivery.state == .gaveUp)
            #expect(forge.requests.count == 4)
            #expect(view.delivery.error?.contains("No commit found") == true)
        }
    }

    @Test func whatStandsThereAlreadyIsNoFailure() async throws {
        try await withOutbox { outbox in
            let forge = try FakeForge(.gitlab)
            defer { forge.stop() }
            let connection = try await outbox.connect(forge)
            try await outbox.commit(run: 1, .queued)
            try await outbox.work()
            try await outbox.commit(run: 2, .blocked)
            try await outbox.work()
            #expect(forge.statuses.map(\.state) == ["pending"])
            #expect(forge.requests.count == 2)
            #expect(try await outbox.status(connection).delivery.state == .sent)
        }
    }

    @Test func aMissingSecretAndAForbiddenAddressAreSaid() async throws {
        try await withOutbox(secrets: [:]) { outbox in
            let forge = try FakeForge(.github)
            defer { forge.stop() }
            let connection = try await outbox.connect(forge)
            try await outbox.commit(run: 1, .queued)
            try await outbox.work()
            let view = try await outbox.status(connection)
            #expect(view.delivery.error == "The secret FORGE_TOKEN is not set.")
            #expect(forge.requests.isEmpty)
        }
        try await withOutbox { outbox in
            let stored = try await outbox.database.save(
                ForgeConnection(
                    project: .main, kind: .gitea, api: "http://169.254.169.254/api/v1", repository: "octo/widgets",
                    secret: "FORGE_TOKEN"))
            try await outbox.commit(run: 1, .queued)
            try await outbox.work()
            let view = try await outbox.status(try #require(stored))
            #expect(view.delivery.state == .gaveUp)
            #expect(view.delivery.error?.contains("link-local") == true)
        }
    }

    @Test func connectionsTakeOnlyTheirRepositorysPipelines() {
        func connection(_ repository: String, pipeline: PipelineID? = nil) -> ForgeConnection {
            ForgeConnection(
                project: .main, pipeline: pipeline, kind: .gitlab, api: "x", repository: repository, secret: "S")
        }
        let one = PipelineID(1)
        for url in [
            "https://git.example.org/Octo/widgets.git", "git@git.example.org:octo/widgets", "",
            "ssh://git@h:22/octo/widgets/",
        ] {
            #expect(connection("octo/widgets").takes(one, of: .main, repositoryURL: url), "\(url)")
        }
        #expect(!connection("octo/widgets").takes(one, of: .main, repositoryURL: "https://h/octo/gears"))
        #expect(!connection("octo/widgets").takes(one, of: ProjectID(2), repositoryURL: ""))
        #expect(connection("77").takes(one, of: .main, repositoryURL: "https://h/octo/gears"))
        #expect(connection("octo/widgets", pipeline: one).takes(one, of: .main, repositoryURL: "https://h/octo/gears"))
        #expect(!connection("octo/widgets", pipeline: PipelineID(2)).takes(one, of: .main, repositoryURL: ""))
    }

    @Test func bitbucketsKeysAndCredentials() throws {
        let long = "ansflow/a pipeline with a very long name indeed, yes"
        #expect(ForgeRequest.key(long) == "ansflow/a pipeline with-\(Self.longDigest)")
        #expect(ForgeRequest.key("ansflow/service") == "ansflow/service")
        let connection = ForgeConnection(
            project: .main, kind: .bitbucket, api: "https://api.example.org/2.0", repository: "octo/widgets",
            secret: "S")
        let status = CommitStatus(
            connection: 1, commit: FakeForge.commit, context: "ansflow/service", run: 1, seq: 1, state: .success,
            summary: "x", ref: "")
        let pair = try ForgeRequest.make(connection, status, token: "a@example.org:b\n", link: "https://x.example.org")
        #expect(pair.headers.contains { $0 == ("Authorization", "Basic YUBleGFtcGxlLm9yZzpi") })
        #expect(throws: ForgeRequest.Refusal.self) {
            try ForgeRequest.make(connection, status, token: "t", link: nil)
        }
        #expect(throws: ForgeRequest.Refusal.self) {
            try ForgeRequest.make(connection, status, token: "a\r\nX-Evil: 1", link: "https://x.example.org")
        }
    }

    private static let longDigest = "cef2433d94f149f1"
}
