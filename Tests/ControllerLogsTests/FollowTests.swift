import AnsFlowProtocol
import ControllerLogs
import NIOCore
import Synchronization
import Testing

/// Those who watch a log.
@Suite(.timeLimit(.minutes(2)))
struct FollowTests {
    let attempt = AttemptID(77)

    @Test func partialLinesAppearAtOnceAndAreReplaced() async throws {
        try await withHarness { harness in
            let seen = Mutex<[String]>([])
            let subscription = harness.store.subscribe(attempt) { event in
                if case .lines(let batch) = event { seen.withLock { $0.append(String(buffer: batch.json)) } }
            }
            _ = harness.store.append(frame(attempt, at: 0, time: 3, "Con"))
            _ = harness.store.append(frame(attempt, at: 3, time: 9, "tinue?"))
            _ = harness.store.append(frame(attempt, at: 9, time: 12, " yes\nnext\nla"))
            _ = harness.store.gap(attempt, offset: 21, length: 4, reason: "x")
            #expect(
                seen.withLock { $0 } == [
                    #"[{"n":1,"t_ms":3,"text":"Con","partial":true}]"#,
                    #"[{"n":1,"t_ms":3,"text":"Continue?","partial":true}]"#,
                    #"[{"n":1,"t_ms":3,"text":"Continue? yes"},{"n":2,"t_ms":12,"text":"next"},"#
                        + #"{"n":3,"t_ms":12,"text":"la","partial":true}]"#,
                    #"[{"n":3,"t_ms":12,"text":"la"},{"n":4,"t_ms":0,"text":"[4 bytes missing: x]","hole":"missing"}]"#,
                ])
            subscription.cancel()
            _ = harness.store.append(frame(attempt, at: 25, "unseen\n"))
            #expect(seen.withLock { $0.count } == 4)
        }
    }

    /// Reads to the end and checks that each line comes once, in order.
    func collect(_ follower: LogFollower, from first: Int, pause: Bool = false) async throws -> (
        lines: [String], lagged: Int
    ) {
        var lines: [String] = []
        var lagged = 0
        for try await event in follower {
            switch event {
            case .lines(let batch):
                for line in batch.lines where !line.isPartial {
                    #expect(line.number == first + lines.count)
                    lines.append(text(line))
                }
                if pause { await Task.yield() }
            case .lagged: lagged += 1
            case .restarted: lines = []
            case .ended: break
            }
        }
        return (lines, lagged)
    }

    @Test func followersGetEveryLineOnce() async throws {
        try await withHarness { harness in
            let expected = (1...3000).map { "line \($0)" }
            let bytes = Array((expected.joined(separator: "\n") + "\n").utf8)
            let half = bytes.count / 2
            _ = harness.append(attempt, Array(bytes[..<half]), size: 100)
            let followers = [1, 1, 700, 2990].map { ($0, harness.store.follow(attempt, fromLine: $0)) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (first, follower) in followers {
                    group.addTask {
                        let got = try await collect(follower, from: first)
                        #expect(got.lines == Array(expected[(first - 1)...]))
                    }
                }
                _ = harness.append(attempt, Array(bytes[half...]), from: half, size: 77)
                guard case .complete = try await harness.store.finish(attempt, expected: end(attempt, bytes)) else {
                    Issue.record("not complete")
                    return
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func aSlowFollowerIsBoundedAndLosesNothing() async throws {
        try await withHarness { harness in
            let follower = harness.store.follow(attempt, queueBytesMax: 4096)
            var iterator = follower.makeAsyncIterator()
            _ = harness.store.append(frame(attempt, at: 0, "line 1\n"))
            guard case .lines(let batch)? = try await iterator.next() else {
                Issue.record("no lines")
                return
            }
            #expect(batch.lines.map(text) == ["line 1"])
            let expected = (2...5000).map { "line \($0)" }
            let rest = Array((expected.joined(separator: "\n") + "\n").utf8)
            // It reads nothing while all this comes.
            _ = harness.append(attempt, rest, from: 7, size: 50)
            #expect(follower.queuedBytes <= 4096)
            _ = try await harness.store.end(attempt)
            let got = try await collect(follower, from: 2)
            #expect(got.lines == expected)
            #expect(got.lagged == 1)
        }
    }

    @Test func aClosedOrRestartedLogIsFollowedToItsEnd() async throws {
        try await withHarness { harness in
            _ = harness.append(attempt, Array("wrong\n".utf8))
            let follower = harness.store.follow(attempt)
            var iterator = follower.makeAsyncIterator()
            guard case .lines? = try await iterator.next() else {
                Issue.record("no lines")
                return
            }
            try await harness.store.reset(attempt)
            guard case .restarted? = try await iterator.next() else {
                Issue.record("not restarted")
                return
            }
            _ = harness.append(attempt, Array("right\nend".utf8))
            _ = try await harness.store.compress(attempt)
            try await harness.store.dropSegment(attempt)
            #expect(try await collect(follower, from: 1).lines == ["right", "end"])
            try await harness.restart()
            #expect(try await collect(harness.store.follow(attempt), from: 1).lines == ["right", "end"])
        }
    }

    @Test func cancellingEndsAWaitingFollower() async throws {
        try await withHarness { harness in
            let follower = harness.store.follow(attempt)
            let reader = Task { try await collect(follower, from: 1).lines }
            _ = harness.store.append(frame(attempt, at: 0, "one\n"))
            follower.cancel()
            _ = try await reader.value
            let other = harness.store.follow(attempt)
            let cancelled = Task { try await collect(other, from: 1).lines }
            cancelled.cancel()
            _ = await cancelled.result
        }
    }

    @Test func aThousandFollowersShareOneBatch() async throws {
        try await withHarness { harness in
            let identities = Mutex<Set<ObjectIdentifier>>([])
            let count = Atomic<Int>(0)
            let subscriptions = (0..<1000).map { _ in
                harness.store.subscribe(attempt) { event in
                    guard case .lines(let batch) = event else { return }
                    count.add(1, ordering: .relaxed)
                    identities.withLock { _ = $0.insert(ObjectIdentifier(batch)) }
                }
            }
            _ = harness.store.append(frame(attempt, at: 0, "one\n"))
            #expect(count.load(ordering: .relaxed) == 1000)
            #expect(identities.withLock { $0.count } == 1)
            for subscription in subscriptions { subscription.cancel() }
        }
    }
}
