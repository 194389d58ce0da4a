import AnsFlowProtocol
import ControllerCore
import ControllerStore
import ControllerWebhooks
import TestSupport
import Testing

@Suite("Taking webhooks in") struct IntakeTests {
    private func refusal(_ body: () async throws -> Void) async throws -> WebhookRefusal? {
        do {
            try await body()
            return nil
        } catch let refusal as WebhookRefusal {
            return refusal
        }
    }

    private static func body(_ source: WebhookSource) throws -> [UInt8] {
        let file =
            switch source {
            case .jenkins: "completed"
            case .generic: "published"
            default: "push"
            }
        return try FixtureFile.bytes("webhooks/\(source.rawValue)/\(file).json")
    }

    @Test("a hundred copies at once are one delivery, judged once", arguments: WebhookSource.allCases)
    func copies(source: WebhookSource) async throws {
        try await Desk.with { desk in
            let pipeline = try await desk.pipeline("p", "steps: [{ run: make }]")
            let hook = try await desk.hook(source, pipelines: [pipeline])
            let body = try Self.body(source)
            let answers = try await withThrowingTaskGroup(of: (DeliveryID, Bool).self) { group in
                for _ in 0..<100 {
                    group.addTask {
                        let answer = try await desk.send(source, body, hook: hook)
                        return (answer.id, answer.isCopy)
                    }
                }
                var all: [(DeliveryID, Bool)] = []
                for try await one in group { all.append(one) }
                return all
            }
            #expect(Set(answers.map(\.0)).count == 1 && answers.count { !$0.1 } == 1)
            try await desk.worker.work()
            let view = try await desk.view(answers[0].0)
            #expect(view.row.duplicates == 99 && view.row.state == .judged, "\(view.row.message)")
            #expect(try await desk.runs.count == 1)
        }
    }

    @Test("a replay under another id, later, and after a restart", arguments: WebhookSource.allCases)
    func replays(source: WebhookSource) async throws {
        let first = try await Desk()
        var desk = first
        defer { desk.end() }
        let pipeline = try await desk.pipeline("p")
        let hook = try await desk.hook(source, pipelines: [pipeline])
        let body = try Self.body(source)
        let headers = Sender.headers(source, body, id: "one", at: desk.time)
        func again(_ id: String?) async throws -> (id: DeliveryID, isCopy: Bool) {
            var changed = headers
            if let id {
                for name in ["x-github-delivery", "x-gitea-delivery", "x-request-uuid", "webhook-id"]
                where changed[name] != nil { changed[name] = id }
            }
            return try await desk.intake.receive(Sender.request(source, body, changed, hook: hook.id, at: desk.time))
        }
        let sent = try await again(nil)
        #expect(!sent.isCopy)
        #expect(try await again(nil) == (sent.id, true), "at once")
        let signsID = source == .gitlab || source == .generic
        if signsID {
            let refused = try await refusal { _ = try await again("two") }
            #expect(refused == .unauthenticated, "with another id, which is signed")
        } else {
            #expect(try await again("two") == (sent.id, true), "with another id, which is not signed")
        }
        desk = try await desk.restarted()
        #expect(try await again(nil) == (sent.id, true), "after a restart")
        desk.advance(360_000)
        switch source {
        case .gitlab, .generic:
            #expect(try await refusal { _ = try await again(nil) } == .unauthenticated, "six minutes later")
        case .github, .gitea, .bitbucket, .jenkins:
            #expect(try await again("three") == (sent.id, true), "six minutes later")
        }
        // A body that was changed is not the sender's any more.
        if source != .jenkins {
            let request = Sender.request(source, body + [32], headers, hook: hook.id, at: desk.time)
            #expect(try await refusal { _ = try await desk.intake.receive(request) } == .unauthenticated)
        }
        try await desk.worker.work()
        #expect(try await desk.runs.count == 1)
    }

    @Test("the hook is found by its id, or by the repository") func finding() async throws {
        try await Desk.with { desk in
            let one = try await desk.hook(.github, name: "one", repository: "4217", secret: "the first one's secret")
            let other = try await desk.hook(
                .github, name: "other", repository: "4218", secret: "the other one's secret")
            let body = try Self.body(.github)
            let byRepository = try await desk.send(.github, body, id: "a", secret: "the first one's secret")
            #expect(try await desk.view(byRepository.id).row.hook == one.id)
            // Another project's secret does not open the door to this repository's hook.
            let strange = try await refusal {
                _ = try await desk.send(.github, body, id: "b", secret: "the other one's secret")
            }
            #expect(strange == .unauthenticated)
            let wrongHook = try await refusal {
                _ = try await desk.send(.github, body, id: "c", hook: other, secret: "the first one's secret")
            }
            #expect(wrongHook == .unauthenticated)
            var off = one
            off.enabled = false
            _ = try await desk.manager.updateHook(off)
            let refused = try await refusal {
                _ = try await desk.send(.github, body, id: "d", hook: one, secret: "the first one's secret")
            }
            #expect(refused == .unauthenticated)
            let wrongSource = try await refusal {
                _ = try await desk.send(.bitbucket, body, id: "e", hook: one, secret: "the first one's secret")
            }
            #expect(wrongSource == .unauthenticated)
        }
    }

    @Test("secrets are changed without a gap, and are not to be had from the disk") func secrets() async throws {
        try await Desk.with { desk in
            let hook = try await desk.hook(.github, secret: "the old secret of it")
            let view = try await desk.manager.addSecret("the new secret of it", to: hook.id, by: "test")
            #expect(view.secrets.count == 2 && view.secret == nil)
            for (id, secret) in [("a", "the old secret of it"), ("b", "the new secret of it")] {
                let body = Array("{\"zen\": \"\(id)\"}".utf8)
                _ = try await desk.send(.github, body, id: id, event: "ping", hook: hook, secret: secret)
            }
            try await desk.manager.deleteSecret(view.secrets[0].id, of: hook.id)
            let refused = try await refusal {
                _ = try await desk.send(.github, Array("{}".utf8), id: "c", hook: hook, secret: "the old secret of it")
            }
            #expect(refused == .unauthenticated)
            await #expect(throws: HookChange.lastSecret) {
                try await desk.manager.deleteSecret(view.secrets[1].id, of: hook.id)
            }
            for name in ["ansflow.db", "ansflow.db-wal"] {
                let bytes = TextFile.bytes("\(desk.directory)/\(name)")
                #expect(!bytes.contains(Array("secret of it".utf8)), "\(name)")
            }
            let made = try await desk.manager.addSecret(nil, to: hook.id, by: "test").secret
            #expect(made?.hasPrefix("whsec_") == true && made?.utf8.count == 50)
        }
    }

    @Test("secret headers are not kept") func headers() async throws {
        try await Desk.with { desk in
            let pipeline = try await desk.pipeline("p")
            let hook = try await desk.hook(.jenkins, pipelines: [pipeline])
            let id = try await desk.send(.jenkins, try Self.body(.jenkins), hook: hook).id
            let row = try await desk.view(id).row
            #expect(row.headers["x-ansflow-token"] == "***" && row.headers["content-type"] == "application/json")
            #expect(row.delivery == "widgets-nightly#18:COMPLETED")
            #expect(try await desk.manager.delivery(id, bodyBytesMax: 20)?.body?.utf8.count == 20)
        }
    }

    @Test("bodies go after a while, rows later") func retention() async throws {
        try await Desk.with { desk in
            let hook = try await desk.hook(.github)
            let id = try await desk.judged(.github, try Self.body(.github), event: "ping", hook: hook).row.id
            _ = try await desk.database.sweepDeliveries(now: desk.time)
            #expect(try await desk.view(id).row.body != nil)
            desk.advance(8 * 86_400_000)
            _ = try await desk.database.sweepDeliveries(now: desk.time)
            #expect(try await desk.view(id).row.body == nil)
            #expect(try await desk.manager.replay(id, by: "test") == nil)
            // Its id and hash are remembered still.
            #expect(try await desk.send(.github, try Self.body(.github), id: "other", event: "ping", hook: hook).isCopy)
            desk.advance(33 * 86_400_000)
            _ = try await desk.database.sweepDeliveries(now: desk.time)
            #expect(try await desk.database.delivery(id) == nil)
        }
    }
}
