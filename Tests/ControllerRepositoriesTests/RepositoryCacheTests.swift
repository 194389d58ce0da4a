import ControllerCore
import ControllerRepositories
import Foundation
import TestSupport
import Testing

@Suite("Repositories") struct RepositoryCacheTests {
    @Test("names stand for commits: branches, tags, full refs, ids and the default branch") func resolve() async throws
    {
        let origin = try GitFixture()
        let cache = try origin.cache()
        let first = try origin.head()
        try origin.git("tag", "light")
        try origin.git("tag", "-a", "v1", "-m", "one")
        try origin.git("checkout", "--quiet", "-b", "release/1")
        let second = try origin.commit(["x": "y"])
        try origin.git("checkout", "--quiet", "main")
        func resolved(_ ref: String) async throws -> ResolvedCommit { try await cache.resolve(ref, in: origin.source) }
        #expect(try await resolved("") == ResolvedCommit(commit: first, ref: "refs/heads/main"))
        #expect(try await resolved("HEAD").branch == "main")
        #expect(try await resolved("release/1") == ResolvedCommit(commit: second, ref: "refs/heads/release/1"))
        #expect(try await resolved("light").tag == "light")
        // An annotated tag is an object of its own; its commit is wanted.
        #expect(try await resolved("v1") == ResolvedCommit(commit: first, ref: "refs/tags/v1"))
        #expect(try await resolved("refs/tags/v1").commit == first)
        #expect(try await resolved(second.uppercased()) == ResolvedCommit(commit: second, ref: ""))
        // A branch goes before a tag of its name.
        try origin.git("tag", "both", second)
        try origin.git("branch", "both", first)
        #expect(try await resolved("both").branch == "both")
    }

    @Test(
        "what is not there is said so, and not tried again",
        arguments: ["nope", "refs/heads/nope", "release", "a..b", "-x"])
    func unknown(_ ref: String) async throws {
        let origin = try GitFixture()
        let cache = try origin.cache()
        let failed = try await failure { () async throws(RepositoryFailure) in
            try await cache.resolve(ref, in: origin.source)
        }
        #expect(failed.reason == .noSuchRef && failed.step == .ref && !failed.mayRetry)
    }

    @Test("a repository that is empty, gone or forbidden") func noRepository() async throws {
        let empty = try GitFixture(isEmpty: true)
        let cache = try empty.cache()
        func failed(_ source: RepositorySource) async throws -> RepositoryFailure {
            try await failure { () async throws(RepositoryFailure) in try await cache.resolve("", in: source) }
        }
        #expect(try await failed(empty.source).message.contains("Is it empty?"))
        let gone = try await failed(RepositorySource(url: empty.url + "-not", allowLocal: true))
        #expect(gone.reason == .noSuchRepository && gone.step == .contact)
        #expect(gone.gitSays.contains("does not appear to be a git repository"))
        #expect(try await failed(RepositorySource(url: empty.url)).reason == .refusedAddress)
        #expect(try await failed(RepositorySource(url: "ext::sh -c id", allowLocal: true)).reason == .refusedAddress)
        let ssh = try await failed(RepositorySource(url: "ssh://git@example.org/x"))
        #expect(ssh.reason == .denied && ssh.message.contains("needs a key"))
        let misplaced = RepositorySource(url: empty.url, allowLocal: true, credential: .token(user: "", token: "t"))
        #expect(try await failed(misplaced).message.contains("https addresses only"))
        let closed = try await failed(
            RepositorySource(url: "http://127.0.0.1:\(try Sockets.freePort())/x", allowLocal: true))
        #expect(closed.reason == .unreachable && closed.mayRetry)
    }

    @Test("files are read as they were at their commit") func read() async throws {
        let origin = try GitFixture()
        try origin.write("binary", Data([0xFF, 0xFE, 0x00]))
        try FileManager.default.createSymbolicLink(
            atPath: origin.path + "/link", withDestinationPath: "/etc/passwd")
        let first = try origin.commit([
            "ci/common.yml": "one\n", "huge": String(repeating: "x", count: 2 << 20), "sp ace/ü*": "s",
        ])
        try origin.commit(["ci/common.yml": "two\n"])
        let cache = try origin.cache()
        let (old, source) = (ResolvedCommit(commit: first, ref: "refs/heads/main"), origin.source)
        let new = try await cache.resolve("main", in: source)
        #expect(try await text("ci/common.yml", new, source, cache) == "two\n")
        #expect(try await text("./ci//common.yml", old, source, cache) == "one\n")
        #expect(try await text("sp ace/ü*", old, source, cache) == "s")
        for (path, reason) in [
            ("nope.yml", RepositoryFailure.Reason.noSuchFile), ("ci", .notAFile), ("link", .notAFile),
            ("binary", .notAFile),
            ("huge", .tooLarge), ("../origin/ci/common.yml", .noSuchFile), ("/etc/passwd", .noSuchFile),
            ("ci/*", .noSuchFile),
        ] {
            let failed = try await failure { () async throws(RepositoryFailure) in
                try await text(path, new, source, cache)
            }
            #expect(failed.reason == reason && failed.step == .read && !failed.mayRetry, "\(path): \(failed)")
        }
        #expect(try await cache.files(below: "ci", at: new, in: source) == ["ci/common.yml"])
        #expect(try await cache.files(below: "", at: new, in: source).count == 6)
        #expect(try await cache.files(below: "nope", at: new, in: source).isEmpty)
    }

    @Test("a commit that was force-pushed away is still read, or said to be gone") func forcePush() async throws {
        let origin = try GitFixture()
        let cache = try origin.cache()
        let lost = try origin.commit(["a": "lost"])
        let before = try await cache.resolve("main", in: origin.source)
        try origin.git("commit", "--quiet", "--amend", "-m", "other")
        // Nobody fetched it yet; the host still has it.
        #expect(try await text("a", before, origin.source, cache) == "lost")
        let now = try await cache.resolve("main", in: origin.source)
        #expect(now.commit != lost)
        let never = ResolvedCommit(commit: String(repeating: "a", count: 40), ref: "refs/heads/main")
        let failed = try await failure { () async throws(RepositoryFailure) in
            try await text("a", never, origin.source, cache)
        }
        #expect(failed.reason == .noSuchCommit && !failed.mayRetry)
        #expect(try await text("a", now, origin.source, cache) == "lost")
    }

    @Test("a deleted branch is gone at once, and its commit stays readable") func deletedBranch() async throws {
        let origin = try GitFixture()
        let cache = try origin.cache()
        try origin.git("checkout", "--quiet", "-b", "topic")
        try origin.commit(["t": "t"])
        let topic = try await cache.resolve("topic", in: origin.source)
        #expect(try await text("t", topic, origin.source, cache) == "t")
        try origin.git("checkout", "--quiet", "main")
        try origin.git("branch", "-D", "topic")
        let failed = try await failure { () async throws(RepositoryFailure) in
            try await cache.resolve("topic", in: origin.source)
        }
        #expect(failed.reason == .noSuchRef)
        #expect(try await text("t", topic, origin.source, cache) == "t")
        // A branch whose name was a folder before, and the other way round.
        try origin.git("branch", "topic/deep")
        let deep = try await cache.resolve("topic/deep", in: origin.source)
        #expect(deep.branch == "topic/deep")
        try origin.git("checkout", "--quiet", "topic/deep")
        try origin.commit(["d": "d"])
        let newer = try await cache.resolve("topic/deep", in: origin.source)
        #expect(try await text("d", newer, origin.source, cache) == "d")
    }

    @Test("what a killed git left behind hinders nobody") func leftovers() async throws {
        let origin = try GitFixture()
        let cache = try origin.cache()
        let first = try await cache.resolve("main", in: origin.source)
        _ = try await text(".ansflow.yml", first, origin.source, cache)
        let mirror = "\(origin.folder)/cache/mirrors/\(try #require(origin.mirrors.first))"
        try Data().write(to: URL(filePath: mirror + "/shallow.lock"))
        try Data("ruined".utf8).write(to: URL(filePath: mirror + "/refs/ansflow/heads/main"))
        try origin.commit([".ansflow.yml": "new"])
        let second = try await cache.resolve("main", in: origin.source)
        #expect(try await text(".ansflow.yml", second, origin.source, cache) == "new")
        try FileManager.default.createDirectory(
            atPath: origin.folder + "/cache/private/old", withIntermediateDirectories: true)
        try Data("key".utf8).write(to: URL(filePath: origin.folder + "/cache/private/old/key"))
        let again = try origin.cache()
        #expect(try FileManager.default.contentsOfDirectory(atPath: origin.folder + "/cache/private").isEmpty)
        #expect(try await text(".ansflow.yml", second, origin.source, again) == "new")
    }

    @Test("hooks and configuration of repositories run nothing") func hooks() async throws {
        let origin = try GitFixture()
        let proof = origin.folder + "/proof"
        let script = "#!/bin/sh\ntouch '\(proof)'\n"
        for hook in ["post-checkout", "post-update", "reference-transaction", "pre-auto-gc"] {
            try origin.write(".git/hooks/\(hook)", Data(script.utf8))
            chmod("\(origin.path)/.git/hooks/\(hook)", 0o755)
        }
        try origin.git("config", "core.fsmonitor", "touch '\(proof)'")
        try origin.git("config", "uploadpack.packObjectsHook", "touch '\(proof)'; exit 1; #")
        let cache = try origin.cache()
        let commit = try await cache.resolve("", in: origin.source)
        #expect(try await text(".ansflow.yml", commit, origin.source, cache).contains("make"))
        #expect(!FileManager.default.fileExists(atPath: proof))
    }

    @Test("mirrors that were not used for longest make room") func space() async throws {
        let origins = try (0..<3).map { index in
            let origin = try GitFixture()
            try origin.write("noise", Data((0..<400_000).map { _ in UInt8.random(in: 0...255) }))
            try origin.commit(["i": "\(index)"])
            return origin
        }
        let home = origins[0]
        let cache = try home.cache { $0.bytesMax = 1_100_000 }
        func use(_ origin: GitFixture) async throws {
            let commit = try await cache.resolve("main", in: origin.source)
            _ = try await text("i", commit, origin.source, cache)
        }
        try await use(origins[0])
        try await use(origins[1])
        #expect(home.mirrors.count == 2)
        try await use(origins[0])
        let before = Set(home.mirrors)
        try await use(origins[2])
        #expect(home.mirrors.count == 2 && Set(home.mirrors) != before)
        #expect(await cache.bytes < 1_100_000)
        try await use(origins[1])
        // One repository alone must fit too.
        let small = try home.cache {
            $0.directory += "-small"
            $0.mirrorBytesMax = 200_000
        }
        let commit = try await small.resolve("main", in: home.source)
        let failed = try await failure { () async throws(RepositoryFailure) in
            try await text("i", commit, home.source, small)
        }
        #expect(failed.reason == .tooLarge && failed.step == .fetch)
    }
}
