import AnsFlowProtocol
import ControllerCore
import ControllerStore
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import ControllerOutgoing

/// What disturbs sending from this side.
@Suite struct OutboxFaultTests {
    /// A database that takes no note of what was sent, as one on a full disk.
    private final class Forgetful: NoticeOutbox {
        private struct Full: Error {}
        let inner: Database
        let isFull = Mutex(true)

        init(_ inner: Database) { self.inner = inner }

        func outboxBatch(limit: Int) async throws -> OutboxBatch? { try await inner.outboxBatch(limit: limit) }
        func apply(_ writes: OutboxWrites, from: Int64, through: Int64, now: Int64) async throws {
            try await inner.apply(writes, from: from, through: through, now: now)
        }
        func routing() async throws -> OutboxBatch { try await inner.routing() }
        func add(_ writes: OutboxWrites, now: Int64) async throws { try await inner.add(writes, now: now) }
        func dueStatuses(now: Int64, limit: Int) async throws -> [DueStatus] {
            try await inner.dueStatuses(now: now, limit: limit)
        }
        func settle(_ due: DueStatus, _ delivery: DeliveryLifecycle, now: Int64) async throws {
            if isFull.withLock({ $0 }) { throw Full() }
            try await inner.settle(due, delivery, now: now)
        }
        func dueDeliveries(now: Int64, limit: Int) async throws -> [DueDelivery] {
            try await inner.dueDeliveries(now: now, limit: limit)
        }
        func settle(_ due: DueDelivery, _ delivery: DeliveryLifecycle, answer: Int?, now: Int64) async throws {
            if isFull.withLock({ $0 }) { throw Full() }
            try await inner.settle(due, delivery, answer: answer, now: now)
        }
        func sweepOutbox(now: Int64) async throws { try await inner.sweepOutbox(now: now) }
        func ruledOut(pipeline: PipelineID, commit: String, why: String) async throws {
            try await inner.ruledOut(pipeline: pipeline, commit: commit, why: why)
        }
    }

    private final class First: Sendable {
        private let isOver = Mutex(false)
        func isNow() -> Bool {
            isOver.withLock { isOver in
                defer { isOver = true }
                return !isOver
            }
        }
    }

    @Test func whatCanNotBeNotedIsNotSentAgainAndAgain() async throws {
        try await withOutbox { outbox in
            let forge = try FakeForge(.github)
            defer { forge.stop() }
            let connection = try await outbox.connect(forge)
            let store = Forgetful(outbox.database)
            let configuration = OutboxWorker.Configuration(now: { outbox.now }, jitter: { 1 })
            let client = try OutgoingClient(OutgoingConfiguration(policy: try AddressPolicy(allowed: ["127.0.0.1"])))
            let worker = OutboxWorker(
                store: store, secrets: Outbox.Secrets(all: ["FORGE_TOKEN": FakeForge.token]), client: client,
                configuration: configuration)
            func look() async throws {
                try await worker.derive()
                for job in try await worker.due() { await worker.perform(job) }
            }
            try await outbox.commit(run: 1, .finished, .success)
            for _ in 0..<5 { try await look() }
            #expect(forge.requests.count == 1)
            outbox.pass(60_000)
            store.isFull.withLock { $0 = false }
            for _ in 0..<3 { try await look() }
            #expect(forge.requests.count == 2)
            #expect(try await outbox.status(connection).delivery.state == .sent)
        }
    }

    /// Row 20 of the fault matrix.
    @Test(arguments: [-86_400_000, 86_400_000]) func aClockThatJumpsHoldsNothingUp(_ jump: Int64) async throws {
        try await withOutbox { outbox in
            let forge = try FakeForge(.github)
            let first = First()
            let peer = try HTTPPeer { _ in HTTPPeer.Reply(first.isNow() ? 500 : 204) }
            defer {
                forge.stop()
                peer.stop()
            }
            let connection = try await outbox.connect(forge)
            let target = try #require(
                try await outbox.database.save(
                    NotificationTarget(
                        id: 0, project: .main, name: "hook", format: .json, url: peer.url, urlSecret: "",
                        signingSecret: "", enabled: true, createdAt: 1, updatedAt: 1)))
            _ = try await outbox.database.save(
                NotificationRule(
                    id: 0, project: .main, pipeline: nil, name: "all", events: [.always], inApp: false,
                    target: target.id, enabled: true, createdAt: 1, updatedAt: 1))
            forge.script(HTTPPeer.Reply(403, [("Retry-After", "3600")], "limit"))
            try await outbox.commit(run: 1, .finished, .success)
            try await outbox.work()
            #expect(forge.statuses.isEmpty && peer.requests.count == 1)
            outbox.pass(jump)
            try await outbox.work()
            #expect(forge.statuses.map(\.state) == ["success"])
            #expect(try await outbox.status(connection).delivery.state == .sent)
            #expect(peer.requests.count == 2)
        }
    }
}
