import ControllerCore
import ControllerRepositories
import Foundation
import TestSupport
import Testing

@Suite("Changed paths") struct ChangedPathsTests {
    private func changed(
        _ from: String?, _ to: String, _ origin: GitFixture, _ cache: RepositoryCache, mergeBase: Bool = false,
        ref: String = "refs/heads/main"
    ) async throws -> ChangedPaths {
        try await cache.changedPaths(
            from: from, to: ResolvedCommit(commit: to, ref: ref), sinceMergeBase: mergeBase, in: origin.source)
    }

    @Test("of a push: what differs between its ends, both names of what moved") func push() async throws {
        let origin = try GitFixture()
        let before = try origin.commit([
            "a": "1", "dir/b": "1", "gone": "1", "moved": String(repeating: "m\n", count: 50),
        ])
        try origin.git("mv", "moved", "there")
        try origin.git("rm", "--quiet", "gone")
        try origin.commit(["dir/b": "2"])
        let after = try origin.commit(["new ü": "1"])
        let cache = try origin.cache()
        #expect(
            try await changed(before, after, origin, cache) == .known(["dir/b", "gone", "moved", "new ü", "there"]))
        #expect(try await changed(after, after, origin, cache) == .known([]))
    }

    @Test("of a force push: the old end is still compared, or not known any more") func forcePush() async throws {
        let origin = try GitFixture()
        let old = try origin.commit(["a": "1"])
        try origin.git("reset", "--quiet", "--hard", "HEAD^")
        let new = try origin.commit(["b": "1"])
        let cache = try origin.cache()
        #expect(try await changed(old, new, origin, cache) == .known(["a", "b"]))
        let gone = try await changed(String(repeating: "b", count: 40), new, origin, cache)
        guard case .unknown(let why) = gone else {
            Issue.record("\(gone)")
            return
        }
        #expect(why.contains("not to be had"))
    }

    @Test("of a pull request: since it left its target, however long ago") func mergeBase() async throws {
        let origin = try GitFixture()
        try origin.git("checkout", "--quiet", "-b", "topic")
        for index in 0..<70 { try origin.commit(["topic/\(index % 3)": "\(index)"]) }
        let topic = try origin.head()
        try origin.git("checkout", "--quiet", "main")
        var base = ""
        for index in 0..<3 { base = try origin.commit(["main": "\(index)"]) }
        let cache = try origin.cache()
        let expected = ChangedPaths.known(["topic/0", "topic/1", "topic/2"])
        #expect(
            try await changed(base, topic, origin, cache, mergeBase: true, ref: "refs/heads/topic") == expected)
        // Without it, what the target has got since counts too.
        #expect(
            try await changed(base, topic, origin, cache, ref: "refs/heads/topic")
                == .known(["main", "topic/0", "topic/1", "topic/2"]))
        // A new branch is compared with where it left the default branch.
        #expect(try await changed(nil, topic, origin, cache, ref: "refs/heads/topic") == expected)
        guard case .unknown = try await changed(nil, base, origin, cache) else {
            Issue.record("the default branch itself has nothing to be compared with")
            return
        }
    }

    @Test("of histories that never met: not known") func unrelated() async throws {
        let origin = try GitFixture()
        let base = try origin.head()
        try origin.git("checkout", "--quiet", "--orphan", "other")
        let other = try origin.commit(["o": "1"])
        let cache = try origin.cache()
        guard case .unknown = try await changed(base, other, origin, cache, mergeBase: true) else {
            Issue.record("there is no common history")
            return
        }
    }
}
