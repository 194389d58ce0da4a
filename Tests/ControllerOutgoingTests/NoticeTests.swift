import AnsFlowProtocol
import ControllerCore
import ControllerStore
import Foundation
import TestSupport
import Testing

@testable import ControllerOutgoing

@Suite struct NoticeTests {
    private func target(
        _ outbox: Outbox, _ name: String, _ url: String, _ format: NoticeFormat = .json, signing: String = ""
    ) async throws -> NotificationTarget {
        try #require(
            try await outbox.database.save(
                NotificationTarget(project: .main, name: name, format: format, url: url, signingSecret: signing)))
    }

    private func rule(
        _ outbox: Outbox, _ events: [NoticeEvent], inApp: Bool = false, _ target: NotificationTarget? = nil,
        pipeline: PipelineID? = nil
    ) async throws -> NotificationRule {
        try #require(
            try await outbox.database.save(
                NotificationRule(
                    project: .main, pipeline: pipeline, name: "r", events: events, inApp: inApp, target: target?.id)))
    }

    private func titles(_ outbox: Outbox) async throws -> [String] {
        try await outbox.database.notices(NoticeFilter(), reader: UserID(1), page: 1, perPage: 100).items
            .map(\.notice.title).reversed()
    }

    @Test func failedAndFixedAreToldOnceByBranch() async throws {
        try await withOutbox { outbox in
            _ = try await rule(outbox, [.failed, .fixed], inApp: true)
            try await outbox.commit(run: 1, .finished, .success)
            try await outbox.commit(run: 2, .finished, .failed)
            try await outbox.commit(run: 3, .finished, .timedOut, branch: "topic")
            try await outbox.commit(run: 4, .finished, .cancelled)
            try await outbox.work()
            // Looked at once more, as after a crash between deciding and noting: nothing comes twice.
            try await outbox.commit(run: 2, .finished, .failed)
            try await outbox.commit(run: 5, .finished, .warning)
            try await outbox.commit(run: 6, .finished, .success)
            try await outbox.work()
            #expect(
                try await titles(outbox) == [
                    "service #2 on main failed", "service #3 on topic failed", "service #5 on main is fixed",
                ])
        }
    }

    @Test func whatWasBeforeTheRuleIsNotTold() async throws {
        try await withOutbox { outbox in
            try await outbox.commit(run: 1, .finished, .failed)
            try await outbox.work()
            _ = try await rule(outbox, [.failed], inApp: true)
            _ = try await rule(outbox, [.always], inApp: true, pipeline: PipelineID(1))
            try await outbox.commit(run: 2, .running)
            try await outbox.work()
            #expect(try await titles(outbox) == [])
            try await outbox.commit(run: 2, .finished, .skipped)
            try await outbox.work()
            #expect(try await titles(outbox) == ["service #2 on main was skipped"])
        }
    }

    @Test func hooksAreSignedAndTriedAgainUnderTheSameID() async throws {
        try await withOutbox(secrets: ["HOOK_KEY": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]) { outbox in
            let failures = Counter()
            let peer = try HTTPPeer { _ in HTTPPeer.Reply(failures.next() < 2 ? 503 : 204) }
            defer { peer.stop() }
            let hook = try await target(outbox, "hook", peer.url + "/in", signing: "HOOK_KEY")
            let rule = try await rule(outbox, [.failed], hook)
            try await outbox.commit(run: 1, .finished, .failed, message: "it broke")
            for _ in 0..<3 {
                try await outbox.work()
                outbox.pass(60_000)
            }
            #expect(peer.requests.count == 3)
            #expect(Set(peer.requests.compactMap { $0.headers["webhook-id"] }).count == 1)
            let last = try #require(peer.requests.last)
            let id = try #require(last.headers["webhook-id"])
            let stamp = try #require(last.headers["webhook-timestamp"].flatMap { Int64($0) })
            #expect(stamp * 1000 == outbox.now - 60_000)
            let expected = HookSignature.headers(
                id: id, seconds: stamp, body: last.body, secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
            #expect(last.headers["webhook-signature"] == expected[2].value)
            #expect(last.json["type"].text == "ansflow.failed")
            #expect(last.json["data"]["run_id"].int == 1)
            #expect(last.json["data"]["message"].text == "Failed in 1m 12s: it broke")
            #expect(last.json["data"]["url"].text == "https://ci.example.org/api/v1/pipeline-runs/1")
            let log = try await outbox.database.deliveries(ofRule: rule.id, page: 1, perPage: 10)
            #expect(log.total == 1)
            #expect(log.items.first?.delivery.state == .sent)
            #expect(log.items.first?.delivery.tries == 3)
            #expect(log.items.first?.answer == 204)
        }
    }

    /// Computed with another program after the text of Standard Webhooks.
    @Test func signaturesAreAsTheStandardHasThem() {
        let signed = HookSignature.headers(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek", seconds: 1_614_265_330, body: Array(#"{"test": 2432232314}"#.utf8),
            secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        #expect(signed[2] == ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="))
        let plain = HookSignature.headers(id: "msg_1", seconds: 5, body: Array("{}".utf8), secret: "plain secret")
        #expect(plain[2].value == "v1,l5z/tAwYpQZo+PMLgTcTZ6cF515n0i8AU1WKAL9p/s8=")
        #expect(HookSignature.headers(id: "m", seconds: 5, body: [], secret: nil).count == 2)
    }

    @Test func anOrderOfOneTargetIsKeptAndDoesNotHoldUpAnother() async throws {
        try await withOutbox { outbox in
            let failures = Counter()
            let slow = try HTTPPeer { _ in HTTPPeer.Reply(failures.next() == 0 ? 500 : 200) }
            let quick = try HTTPPeer { _ in HTTPPeer.Reply(200) }
            defer {
                slow.stop()
                quick.stop()
            }
            _ = try await rule(outbox, [.always], try await target(outbox, "slow", slow.url))
            _ = try await rule(outbox, [.always], try await target(outbox, "quick", quick.url))
            for run in 1...4 { try await outbox.commit(run: Int64(run), .finished, .success) }
            try await outbox.work()
            #expect(slow.requests.count == 1)
            #expect(quick.requests.map { $0.json["data"]["run_id"].int } == [1, 2, 3, 4])
            outbox.pass(60_000)
            try await outbox.work()
            #expect(slow.requests.map { $0.json["data"]["run_id"].int } == [1, 1, 2, 3, 4])
        }
    }

    @Test func aPipelinesOwnDefinitionCanAskForNotices() async throws {
        try await withOutbox { outbox in
            let peer = try HTTPPeer { _ in HTTPPeer.Reply(200) }
            defer { peer.stop() }
            _ = try await target(outbox, "team-chat", peer.url, .mattermost)
            let notify = [
                NotifyPlan(on: [.failed, .fixed], webhook: "team-chat"), NotifyPlan(on: [.failed], webhook: "nobody"),
            ]
            try await outbox.commit(run: 1, .finished, .success, notify: notify)
            try await outbox.commit(run: 2, .finished, .failed, notify: notify)
            try await outbox.commit(run: 3, .finished, .success)
            try await outbox.work()
            #expect(peer.requests.count == 1)
            #expect(peer.requests.first?.json["text"].text?.contains("service \\#2 on main failed") == true)
        }
    }

    @Test func redirectsOfHooksAreNotFollowed() async throws {
        try await withOutbox { outbox in
            let peer = try HTTPPeer { request in
                HTTPPeer.Reply(request.target == "/x" ? 200 : 307, [("Location", "/x")])
            }
            defer { peer.stop() }
            let rule = try await rule(outbox, [.always], try await target(outbox, "hook", peer.url + "/in"))
            try await outbox.commit(run: 1, .finished, .success)
            try await outbox.work()
            #expect(peer.requests.count == 1)
            let log = try await outbox.database.deliveries(ofRule: rule.id, page: 1, perPage: 10)
            #expect(log.items.first?.delivery.state == .gaveUp)
            #expect(log.items.first?.delivery.error?.contains("has moved to /x") == true)
        }
    }

    @Test func tries() async throws {
        try await withOutbox(secrets: ["CHAT_URL": "not an address"]) { outbox in
            let peer = try HTTPPeer { _ in HTTPPeer.Reply(200, [], "ok") }
            defer { peer.stop() }
            let good = try await rule(outbox, [.failed], try await target(outbox, "hook", peer.url + "/in"))
            let tried = try await outbox.worker.test(good)
            #expect(tried == NoticeTestResult(delivered: true, answer: 200, detail: "It was taken."))
            #expect(peer.requests.first?.json["type"].text == "ansflow.system")
            let chat = try #require(
                try await outbox.database.save(
                    NotificationTarget(project: .main, name: "chat", format: .slack, urlSecret: "CHAT_URL")))
            let failed = try #require(try await outbox.worker.test(try await rule(outbox, [.failed], chat)))
            #expect(!failed.delivered)
            #expect(failed.detail.contains("https://"))
            #expect(try await outbox.worker.test(try await rule(outbox, [.failed], inApp: true)) == nil)
        }
    }

    @Test func wordsOfTheWholeInstance() async throws {
        try await withOutbox { outbox in
            let peer = try HTTPPeer { _ in HTTPPeer.Reply(200) }
            defer { peer.stop() }
            _ = try await rule(outbox, [.diskLow], inApp: true, try await target(outbox, "hook", peer.url))
            let notice = Notice(.diskLow, title: "Low", message: "Free some room.", at: outbox.now)
            try await outbox.worker.tell(notice, key: "disk:1")
            try await outbox.worker.tell(notice, key: "disk:1")
            try await outbox.work()
            #expect(peer.requests.count == 1)
            #expect(try await titles(outbox) == ["Low"])
        }
        var watch = DiskWatch()
        let mib: UInt64 = 1 << 20
        var said: [DiskWatch.Action] = []
        for free in [900, 255, 200, 300, 255, 330, 255] as [UInt64] {
            said.append(watch.looked(freeBytes: free * mib, floorBytes: 16 * mib))
        }
        #expect(said == [.none, .low, .none, .none, .none, .none, .low])
    }

    @Test func whatIsOldGoesAndWhatWaitsIsBounded() async throws {
        try await withOutbox { outbox in
            let hook = try await target(outbox, "hook", "http://127.0.0.1:9/")
            var writes = OutboxWrites()
            let notice = Notice(.failed, title: "t", message: "", at: outbox.now, project: 1)
            for number in 0..<1_010 {
                writes.deliveries.append(.init(key: "k\(number)", target: hook.id, rule: 7, notice: notice))
            }
            writes.inApp.append(.init(key: "n", notice: notice))
            try await outbox.database.add(writes, now: outbox.now)
            try await outbox.database.sweepOutbox(now: outbox.now)
            let log = try await outbox.database.deliveries(ofRule: 7, page: 11, perPage: 100)
            #expect(log.items.last?.delivery.state == .gaveUp)
            #expect(log.items.last?.delivery.error?.contains("1000") == true)
            #expect(log.items.first?.delivery.state == .waiting || log.items.count == 10)
            try await outbox.database.sweepOutbox(now: outbox.now + 91 * 86_400_000)
            #expect(try await titles(outbox) == [])
            #expect(try await outbox.database.deliveries(ofRule: 7, page: 1, perPage: 1).total == 1_000)
        }
    }

    @Test func chatsGetNeitherMarkupNorMentionsOfOthers() throws {
        let notice = Notice(
            .failed, title: "<!channel> *#1* on @all & co", message: "see [x](http://evil.example.org) `y`", at: 0)
        func text(_ format: NoticeFormat, _ member: String) throws -> String {
            try #require(
                try JSON(parsing: NoticeBody.bytes(notice, format, link: "https://ci.example.org/1"))[member].text)
        }
        #expect(
            try text(.slack, "text")
                == "<https://ci.example.org/1|&lt;!channel&gt; *#1* on @all &amp; co>\nsee [x](http://evil.example.org) `y`"
        )
        let mattermost = try text(.mattermost, "text")
        #expect(
            mattermost.hasPrefix("[**\\<\\!channel\\> \\*\\#1\\* on @\u{200B}all & co**](https://ci.example.org/1)"))
        #expect(mattermost.contains("\\[x\\]\\(http://evil.example.org\\)"))
        #expect(try text(.discord, "content") == mattermost)
        let discord = try JSON(parsing: NoticeBody.bytes(notice, .discord, link: nil))
        #expect(discord["allowed_mentions"]["parse"] == .array([]))
        let teams = try JSON(parsing: NoticeBody.bytes(notice, .teams, link: "https://ci.example.org/1"))
        let card = teams["attachments"][0]["content"]
        #expect(teams["type"].text == "message")
        #expect(card["type"].text == "AdaptiveCard")
        #expect(card["body"].items.count == 2)
        #expect(card["actions"][0]["url"].text == "https://ci.example.org/1")
    }

    /// Counts from 0.
    private final class Counter: @unchecked Sendable {
        private let lock = NSLock()
        private var count = -1
        func next() -> Int {
            lock.withLock {
                count += 1
                return count
            }
        }
    }
}
