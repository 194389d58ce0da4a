import AgentCore
import AnsFlowProtocol
import Crypto
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import AgentExec

/// A controller's store in memory, whose connections break when they are told to.
private final class FakeStore: ArtifactTransport {
    struct State {
        var objects: [String: [UInt8]] = [:]
        var partial: [String: [UInt8]] = [:]
        var manifest: ArtifactManifest?
        var listings: [String: [ArtifactManifest.File]] = [:]
        /// Bytes after which connections break, one after the other.
        var breaks: [Int] = []
        var connections = 0
        var sentBytes = 0
        var fetchedBytes = 0
        /// Contents to lose at the next manifest.
        var lose: Set<String> = []
        var refusal: String?
    }

    let state = Mutex(State())

    func keep(_ job: String, _ path: String, _ bytes: [UInt8], executable: Bool = false) {
        let digest = Digests.hex(SHA256.hash(data: bytes))
        state.withLock {
            $0.objects[digest] = bytes
            $0.listings[job, default: []].append(
                .init(path: path, size: UInt64(bytes.count), sha256: digest, executable: executable))
        }
    }

    func withLink<Value: Sendable>(_ body: (any ArtifactLink) async throws -> Value) async throws -> Value {
        let breakAfter = state.withLock { state -> Int? in
            state.connections += 1
            return state.breaks.isEmpty ? nil : state.breaks.removeFirst()
        }
        if breakAfter == 0 { throw ArtifactFault.away("Nobody is there.") }
        return try await body(Link(store: self, left: breakAfter ?? .max))
    }

    final class Link: ArtifactLink {
        let store: FakeStore
        var left: Int

        init(store: FakeStore, left: Int) {
            self.store = store
            self.left = left
        }

        private func spend(_ count: Int) throws {
            left -= count
            if left < 0 { throw ArtifactFault.away("The connection broke.") }
        }

        func missing(_ digest: String, size: UInt64) async throws -> UInt64? {
            try store.state.withLock { state in
                if let refusal = state.refusal { throw ArtifactFault.refused(refusal) }
                return state.objects[digest] == nil ? UInt64(state.partial[digest]?.count ?? 0) : nil
            }
        }

        func send(_ digest: String, size: UInt64, offset: UInt64, next: () async throws -> [UInt8]?) async throws {
            guard store.state.withLock({ $0.partial[digest]?.count ?? 0 }) == Int(offset) else {
                throw ArtifactFault.offset(UInt64(store.state.withLock { $0.partial[digest]?.count ?? 0 }))
            }
            while let piece = try await next() {
                try spend(piece.count)
                store.state.withLock {
                    $0.partial[digest, default: []] += piece
                    $0.sentBytes += piece.count
                }
            }
            try store.state.withLock { state in
                let bytes = state.partial.removeValue(forKey: digest) ?? []
                guard Digests.hex(SHA256.hash(data: bytes)) == digest else { throw ArtifactFault.changed }
                state.objects[digest] = bytes
            }
        }

        func publish(_ manifest: ArtifactManifest) async throws -> ArtifactReceipt {
            try store.state.withLock { state in
                for digest in state.lose { state.objects[digest] = nil }
                state.lose = []
                let digests = manifest.files.map(\.sha256) + manifest.reports.map(\.sha256)
                guard digests.allSatisfy({ state.objects[$0] != nil }) else { throw ArtifactFault.incomplete }
                state.manifest = manifest
                return ArtifactReceipt(notes: manifest.reports.map { "\($0.path): read." })
            }
        }

        func listing(job: String) async throws -> ArtifactListing {
            ArtifactListing(files: store.state.withLock { $0.listings[job] ?? [] })
        }

        func fetch(_ digest: String, from offset: UInt64, into piece: ([UInt8]) async throws -> Void) async throws {
            guard let bytes = store.state.withLock({ $0.objects[digest] }) else { throw ArtifactFault.refused("Gone.") }
            for start in stride(from: Int(offset), to: bytes.count, by: 1000) {
                let part = Array(bytes[start..<min(start + 1000, bytes.count)])
                try spend(part.count)
                store.state.withLock { $0.fetchedBytes += part.count }
                try await piece(part)
            }
        }
    }
}

/// What a step said.
private final class Log: Sendable {
    let lines = Mutex<[String]>([])
    var text: String { lines.withLock { $0.joined(separator: "\n") } }
    func say(_ line: String) { lines.withLock { $0.append(line) } }
}

@Suite("Artifacts of a workspace")
struct ArtifactStepTests {
    private let scratch: Scratch
    private let store = FakeStore()
    private let log = Log()
    private let waits = ArtifactSession.Waits(first: 2, longest: 4)

    init() throws { scratch = try Scratch() }

    private func keep(
        _ rules: [StepSpec.StoreArtifacts.Rule], reports: [StepSpec.StoreArtifacts.Report] = []
    ) async throws {
        let log = log
        try await StoreArtifactsStep(
            .init(rules: rules, reports: reports), directory: scratch.path, transport: store, waits: waits,
            say: { log.say($0) }
        ).run()
    }

    private func fetch(_ sources: [StepSpec.FetchArtifacts.Source]) async throws {
        let log = log
        try await FetchArtifactsStep(
            .init(sources: sources), directory: scratch.path, transport: store, waits: waits, say: { log.say($0) }
        ).run()
    }

    private func failure(_ body: () async throws -> Void) async -> String {
        do {
            try await body()
            return ""
        } catch {
            return "\(error)"
        }
    }

    private var manifest: ArtifactManifest? { store.state.withLock { $0.manifest } }

    @Test("files that match are kept with size, digest and mode")
    func kept() async throws {
        try shell(
            "cd \(scratch.path); mkdir -p out/bin .git src; echo app > out/bin/app; chmod +x out/bin/app; echo o > out/x.o; echo log > out/log; echo s > src/s; echo g > .git/config; ln -s log out/link; mkfifo out/fifo"
        )
        try await keep([.init(paths: ["**", "!src/**", "!*/*.o"], keepMs: 5000)])
        let files = try #require(manifest?.files)
        #expect(files.map(\.path) == ["out/bin/app", "out/log"])
        #expect(
            files[0]
                == .init(path: "out/bin/app", size: 4, sha256: try sha("out/bin/app"), executable: true, keepMs: 5000))
        #expect(files[1].executable == false)
        #expect(log.text.contains("Left out: 1 symbolic links") && log.text.contains("Left out: 1 that are no regular"))
        #expect(log.text.contains("Kept 2 files, 8 B."))
    }

    private func sha(_ path: String) throws -> String {
        String(try shell("sha256sum '\(scratch.path)/\(path)'").prefix(64))
    }

    @Test("the same content is sent once, and not at all where the controller has it")
    func deduplicated() async throws {
        try shell("cd \(scratch.path); for i in 1 2 3; do seq 1 1000 > f$i; done; echo other > g")
        try await keep([.init(paths: ["f*", "g"])])
        #expect(manifest?.files.count == 4)
        let sent = store.state.withLock { $0.sentBytes }
        #expect(sent == 3893 + 6)
        try await keep([.init(paths: ["f*", "g"])])
        #expect(store.state.withLock { $0.sentBytes } == sent)
    }

    @Test("a controller that goes away is waited for, and what it has is not sent again")
    func breaks() async throws {
        try shell("cd \(scratch.path); head -c 3000000 /dev/urandom > big")
        store.state.withLock { $0.breaks = [0, 0, 300_000, 0, 1_000_000, 500_000] }
        try await keep([.init(paths: ["big"])])
        #expect(manifest?.files.map(\.size) == [3_000_000])
        #expect(store.state.withLock { $0.sentBytes } == 3_000_000)
        #expect(store.state.withLock { $0.connections } >= 7)
        #expect(log.text.contains("Nobody is there. Trying again."))
    }

    @Test("a wait is short again once something got through")
    func shortAgain() async throws {
        try shell("cd \(scratch.path); head -c 1000000 /dev/urandom > big")
        store.state.withLock { $0.breaks = [0, 0, 0, 300_000, 300_000, 300_000] }
        let asked = Mutex<[Int]>([])
        let waits = ArtifactSession.Waits(first: 2, longest: 1000) { wait in asked.withLock { $0.append(wait) } }
        let log = log
        try await StoreArtifactsStep(
            .init(rules: [.init(paths: ["big"])], reports: []), directory: scratch.path, transport: store, waits: waits,
            say: { log.say($0) }
        ).run()
        // Nobody is there, three times; then the controller has more at each connection than at the one before.
        #expect(asked.withLock { $0 } == [2, 4, 8, 16, 2, 2])
    }

    @Test("content that the controller has lost before the manifest is sent again")
    func lost() async throws {
        try scratch.write("a", "first")
        try scratch.write("b", "second")
        store.state.withLock { $0.lose = [Digests.hex(SHA256.hash(data: Array("first".utf8)))] }
        try await keep([.init(paths: ["a", "b"])])
        #expect(manifest?.files.count == 2)
        #expect(store.state.withLock { $0.objects.count } == 2)
    }

    @Test("what can't be kept is said with its cure")
    func refused() async throws {
        #expect(
            await failure { try await keep([.init(paths: ["nothing/*"])]) }.contains("Nothing matches \"nothing/*\""))
        try await keep([.init(paths: ["nothing/*"], optional: true)])
        #expect(log.text.contains("Nothing is to be kept."))
        try shell("cd \(scratch.path); printf x > \"$(printf 'a\\001b')\"")
        #expect(await failure { try await keep([.init(paths: ["*"])]) }.contains("\"a?b\" can't be kept"))
        try shell("cd \(scratch.path); rm a*; printf x > \"$(printf 'a\\377b')\"")
        #expect(await failure { try await keep([.init(paths: ["*"])]) }.contains("can't be kept"))
        try shell("cd \(scratch.path); rm a*; echo x > x")
        store.state.withLock { $0.refusal = "The controller's disk is full." }
        #expect(await failure { try await keep([.init(paths: ["x"])]) } == "The controller's disk is full.")
    }

    @Test("too many files are refused before any is sent")
    func tooMany() async throws {
        try shell("cd \(scratch.path); seq 1 10001 | xargs touch")
        #expect(await failure { try await keep([.init(paths: ["*"])]) }.contains("More than 10000 files match"))
        #expect(store.state.withLock { $0.connections } == 0)
    }

    @Test("reports are sent with the step that wrote them, and are no artifacts")
    func reports() async throws {
        try scratch.write("r.xml", "<testsuite/>")
        try scratch.write("a", "a")
        try await keep(
            [.init(paths: ["a"])],
            reports: [.init(step: "test", paths: ["*.xml"]), .init(step: "lint", paths: ["none.xml"])])
        #expect(manifest?.files.map(\.path) == ["a"])
        #expect(manifest?.reports.map(\.path) == ["r.xml"])
        #expect(manifest?.reports.first?.step == "test")
        #expect(log.text.contains("r.xml: read.") && log.text.contains("No report of lint matches \"none.xml\"."))
    }

    // MARK: Fetching

    @Test("files come into their folder with content and mode")
    func fetched() async throws {
        let big = (0..<50_000).map { UInt8(truncatingIfNeeded: $0) }
        store.keep("build", "out/app", big, executable: true)
        store.keep("build", "out/notes.md", Array("hi".utf8))
        store.keep("docs", "index.html", Array("<p>".utf8))
        try await fetch([
            .init(jobs: ["build"], paths: ["out/*", "!**/*.md"]), .init(jobs: ["docs"], into: "./site/en/"),
        ])
        #expect(try shell("cd \(scratch.path); find . -type f | sort") == "./out/app\n./site/en/index.html\n")
        #expect(try shell("stat -c %a \(scratch.path)/out/app \(scratch.path)/site/en/index.html") == "755\n644\n")
        #expect(try sha("out/app") == Digests.hex(SHA256.hash(data: big)))
        #expect(log.text.contains("Fetched 2 files, 48.8 KiB."))
    }

    @Test("a broken connection goes on at the byte where it broke")
    func fetchBreaks() async throws {
        store.keep("build", "a", (0..<100_000).map { UInt8(truncatingIfNeeded: $0 / 7) })
        // The first connection is for the list.
        store.state.withLock { $0.breaks = [.max, 30_000, 0, 20_000] }
        try await fetch([.init(jobs: ["build"])])
        #expect(store.state.withLock { $0.fetchedBytes } == 100_000)
        #expect(try shell("cd \(scratch.path); ls -A") == "a\n")
    }

    @Test("damaged content leaves nothing behind")
    func damaged() async throws {
        store.keep("build", "a", Array("right".utf8))
        store.state.withLock { state in for key in state.objects.keys { state.objects[key] = Array("wrong".utf8) } }
        #expect(await failure { try await fetch([.init(jobs: ["build"])]) }.contains("came damaged"))
        #expect(try shell("ls -A \(scratch.path)").isEmpty)
    }

    @Test(
        "no path leaves the workspace, whatever the controller says",
        arguments: ["../x", "/x", "a/../../x", "", "a//b"])
    func escapes(_ path: String) async throws {
        store.keep("build", path, Array("x".utf8))
        #expect(await failure { try await fetch([.init(jobs: ["build"])]) }.contains("leaves the workspace"))
    }

    @Test("a symbolic link in the workspace is not followed")
    func links() async throws {
        let outside = try Scratch()
        try outside.write("target", "untouched")
        try shell("ln -s \(outside.path) \(scratch.path)/out; ln -s \(outside.path)/target \(scratch.path)/f")
        store.keep("build", "out/x", Array("x".utf8))
        #expect(await failure { try await fetch([.init(jobs: ["build"])]) }.contains("Can't enter the folder of out/x"))
        store.keep("flat", "f", Array("new".utf8))
        try await fetch([.init(jobs: ["flat"])])
        #expect(try shell("cat \(outside.path)/target \(scratch.path)/f; ls \(outside.path)") == "untouchednewtarget\n")
        #expect(
            await failure { try await fetch([.init(jobs: ["build"], into: "../y")]) }.contains("is not a folder below"))
    }

    @Test("what a job did not keep is said")
    func nothing() async throws {
        store.keep("build", "a", [1])
        #expect(await failure { try await fetch([.init(jobs: ["other"])]) } == "other kept nothing.")
        #expect(
            await failure { try await fetch([.init(jobs: ["build"], paths: ["b*"])]) }
                == "build kept nothing that matches b*.")
    }
}
