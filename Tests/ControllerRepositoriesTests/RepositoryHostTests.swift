import ControllerCore
import ControllerRepositories
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("Repositories on hosts") struct RepositoryHostTests {
    private static let token = "secret-token-0f1e2d3c4b5a"

    private func source(_ server: GitHTTPServer, token: String? = nil) -> RepositorySource {
        RepositorySource(
            url: server.url, allowLocal: true, credential: token.map { .token(user: "ci", token: $0) } ?? .none)
    }

    @Test("over HTTP, without history") func http() async throws {
        let origin = try GitFixture()
        for index in 0..<5 { try origin.commit([".ansflow.yml": "v\(index)"]) }
        let server = try GitHTTPServer(origin.path)
        defer { server.stop() }
        let cache = try origin.cache()
        let commit = try await cache.resolve("main", in: source(server))
        #expect(try await text(".ansflow.yml", commit, source(server), cache) == "v4")
        let mirror = "\(origin.folder)/cache/mirrors/\(try #require(origin.mirrors.first))"
        #expect(FileManager.default.fileExists(atPath: mirror + "/shallow"))
    }

    @Test("many at once share one lookup and one fetch") func sharing() async throws {
        let origin = try GitFixture()
        let server = try GitHTTPServer(origin.path)
        server.behaviour.withLock { $0.pause = 0.3 }
        defer { server.stop() }
        let cache = try origin.cache()
        let head = try origin.head()
        try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    let commit = try await cache.resolve("main", in: source(server))
                    return try await text(".ansflow.yml", commit, source(server), cache) + commit.commit
                }
            }
            for try await got in group { #expect(got == "steps: [{ run: make }]\n" + head) }
        }
        let requests = server.requests.withLock { $0 }
        // A lookup and a fetch begin with a question each; a lookup that had begun already is not joined.
        let questions = requests.count { $0.hasPrefix("GET") }
        #expect((2...3).contains(questions), "\(requests)")
    }

    @Test("a silent host costs its time limit and leaves no process") func hanging() async throws {
        let origin = try GitFixture()
        let server = try GitHTTPServer(origin.path, .init(hangs: true))
        defer { server.stop() }
        let cache = try origin.cache { $0.contactLimit = .seconds(1) }
        let begin = ContinuousClock.now
        let failed = try await failure { () async throws(RepositoryFailure) in
            try await cache.resolve("main", in: source(server))
        }
        #expect(ContinuousClock.now - begin < .seconds(8))
        #expect(failed.reason == .timeout && failed.step == .contact && failed.mayRetry)
        #expect(failed.message.contains("1 s"))
        try await sooner(than: 5, "git and its helpers are gone") {
            Self.commandLines(with: ":\(server.port)/").isEmpty
        }
    }

    @Test(
        "errors of hosts are sorted",
        arguments: [
            ("503 Service Unavailable", RepositoryFailure.Reason.unreachable), ("404 Not Found", .noSuchRepository),
            ("403 Forbidden", .denied), ("429 Too Many Requests", .unreachable),
        ])
    func errors(_ status: String, _ reason: RepositoryFailure.Reason) async throws {
        let origin = try GitFixture()
        let server = try GitHTTPServer(origin.path, .init(status: status))
        defer { server.stop() }
        let cache = try origin.cache()
        let failed = try await failure { () async throws(RepositoryFailure) in
            try await cache.resolve("main", in: source(server))
        }
        #expect(failed.reason == reason && failed.mayRetry == (reason == .unreachable), "\(failed)")
    }

    @Test("a token opens its host, and is seen nowhere") func token() async throws {
        let origin = try GitFixture()
        let server = try GitHTTPServer(origin.path, .init(credentials: "ci:\(Self.token)", pause: 0.4))
        defer { server.stop() }
        let cache = try origin.cache()
        async let commit = cache.resolve("main", in: source(server, token: Self.token))
        var lines: [String] = []
        try await sooner(than: 10, "git runs") {
            lines = Self.commandLines(with: "127.0.0.1:\(server.port)")
            return lines.count >= 2
        }
        #expect(!lines.contains { $0.contains(Self.token) })
        #expect(Self.commandLines(with: Self.token).isEmpty)
        let found = try await commit
        #expect(try await text(".ansflow.yml", found, source(server, token: Self.token), cache).contains("make"))
        let files = try FileManager.default.subpathsOfDirectory(atPath: origin.folder + "/cache")
        for file in files {
            let data = FileManager.default.contents(atPath: "\(origin.folder)/cache/\(file)") ?? Data()
            #expect(data.range(of: Data(Self.token.utf8)) == nil, "\(file)")
        }
        // Who has no token does not find the mirror that one with a token made.
        let failed = try await failure { () async throws(RepositoryFailure) in
            try await text(".ansflow.yml", found, source(server), cache)
        }
        #expect(failed.reason == .denied && failed.message.contains("Add a git credential"))
    }

    @Test("a wrong token is denied, once, and not shown") func wrongToken() async throws {
        let origin = try GitFixture()
        let server = try GitHTTPServer(origin.path, .init(credentials: "ci:other"))
        defer { server.stop() }
        let cache = try origin.cache()
        let failed = try await failure { () async throws(RepositoryFailure) in
            try await cache.resolve("main", in: source(server, token: Self.token))
        }
        #expect(failed.reason == .denied && !failed.mayRetry)
        #expect(!"\(failed) \(failed.gitSays)".contains(Self.token))
        #expect(!"\(source(server, token: Self.token))".contains(Self.token))
    }

    @Test("an SSH key lies in a file of its own for as long as git runs") func ssh() async throws {
        let origin = try GitFixture()
        // Stands for ssh: notes its arguments and the key's mode, then runs what the host would.
        let bin = origin.folder + "/bin"
        try FileManager.default.createDirectory(atPath: bin, withIntermediateDirectories: true)
        let script = """
            #!/bin/sh
            echo "$@" >> '\(origin.folder)/arguments'
            while [ $# -gt 0 ]; do
              if [ "$1" = -i ]; then stat -c %a "$2" >> '\(origin.folder)/mode'; cat "$2" >> '\(origin.folder)/key'; fi
              last=$1
              shift
            done
            exec sh -c "$last"
            """
        try Data(script.utf8).write(to: URL(filePath: bin + "/ssh"))
        chmod(bin + "/ssh", 0o755)
        let cache = try origin.cache { $0.environment["PATH"] = "\(bin):/usr/bin:/bin" }
        let key = "-----BEGIN KEY-----\nabcdefghijklmnopqrstuvwxyz\n-----END KEY-----"
        func source(_ knownHosts: String) -> RepositorySource {
            RepositorySource(
                url: "ssh://git@example.org\(origin.path)", credential: .sshKey(key: key, knownHosts: knownHosts))
        }
        let commit = try await cache.resolve("main", in: source("example.org ssh-ed25519 AAAA"))
        #expect(commit.commit == (try origin.head()))
        #expect(try await text(".ansflow.yml", commit, source("example.org ssh-ed25519 AAAA"), cache).contains("make"))
        let arguments = try String(contentsOfFile: origin.folder + "/arguments", encoding: .utf8)
        #expect(arguments.contains("-oStrictHostKeyChecking=yes") && !arguments.contains("abcdefghij"))
        #expect(try String(contentsOfFile: origin.folder + "/mode", encoding: .utf8).hasPrefix("600\n"))
        #expect(try String(contentsOfFile: origin.folder + "/key", encoding: .utf8).hasPrefix(key + "\n"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: origin.folder + "/cache/private").isEmpty)
        let failed = try await failure { () async throws(RepositoryFailure) in
            try await cache.resolve("main", in: source(" "))
        }
        #expect(failed.reason == .denied && failed.message.contains("known hosts"))
    }

    /// Command lines of all processes that hold a text, as `/proc` shows them.
    static func commandLines(with text: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.filter { Int($0) != nil }.compactMap { name in
            guard let data = FileManager.default.contents(atPath: "/proc/\(name)/cmdline") else { return nil }
            let line = String(decoding: data, as: UTF8.self).replacing("\0", with: " ")
            return line.contains(text) ? line : nil
        }
    }
}
