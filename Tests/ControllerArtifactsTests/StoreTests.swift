import AnsFlowProtocol
import ControllerCore
import Foundation
import Synchronization
import Testing

@testable import ControllerArtifacts

@Suite struct StoreTests {
    private let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }

    private func refusal(_ body: () async throws -> Void) async -> ArtifactRefusal.Kind? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? ArtifactRefusal)?.kind
        }
    }

    @Test func whatIsSentIsReadBack() async throws {
        let bench = try Bench()
        let status = try await bench.store.send(content)
        #expect(status == UploadStatus(offset: 300_000, complete: true))
        try await bench.store.keep("out/a.bin", content)
        let row = try #require(try await bench.store.artifacts(of: RunID(1), job: nil).first)
        let open = try #require(try await bench.store.open(row))
        #expect(open.size == 300_000)
        #expect(try await open.read(at: 0, count: 400_000) == content)
        #expect(try await open.read(at: 299_990, count: 100) == Array(content.suffix(10)))
        #expect(bench.files("partial").isEmpty)
        #expect(bench.store.storedBytes == 300_000)
        #expect(try bench.restarted().storedBytes == 300_000)
    }

    @Test func emptyContentIsContent() async throws {
        let bench = try Bench()
        #expect(try await bench.store.send([]).complete)
        try await bench.store.keep("empty", [])
        #expect(bench.files("objects").count == 1)
    }

    /// Broken off at any place, by the connection or by the end of the controller, it goes on there.
    @Test(arguments: [1, 999, 150_000, 299_999])
    func aBrokenUploadGoesOn(_ cut: Int) async throws {
        let bench = try Bench()
        let name = digest(content)
        #expect(await refusal { try await bench.store.send(content, pieces: 333, cutAfter: cut) } != nil)
        #expect(bench.files("objects").isEmpty, "what is not whole is not there")
        let store = try bench.restarted()
        let status = try await store.status(of: name, size: 300_000, attempt: AttemptID(1), agent: AgentID(1))
        #expect(!status.complete && status.offset >= UInt64(cut) && status.offset < UInt64(cut) + 333)
        #expect(try await store.send(content).complete)
        #expect(bench.files("objects").count == 1 && bench.files("partial").isEmpty)
    }

    @Test func aWrongOffsetIsAnsweredWithTheRightOne() async throws {
        let bench = try Bench()
        _ = await refusal { try await bench.store.send(content, pieces: 1000, cutAfter: 5000) }
        for offset in [0, 4999, 5001, 300_000] as [UInt64] {
            let kind = await refusal {
                _ = try await bench.store.upload(
                    digest(content), size: 300_000, offset: offset, attempt: AttemptID(1), agent: AgentID(1)
                ) { nil }
            }
            #expect(kind == .offset(5000))
        }
    }

    @Test func contentThatIsAnotherThanAnnouncedIsDropped() async throws {
        let bench = try Bench()
        let name = digest(Array("something else".utf8))
        #expect(await refusal { try await bench.store.send(content, as: name) } == .mismatch)
        #expect(bench.files("objects").isEmpty && bench.files("partial").isEmpty)
        #expect(
            await refusal { try await bench.store.send(content, as: name) } == .mismatch, "from its first byte again")
    }

    @Test func moreThanAnnouncedIsRefused() async throws {
        let bench = try Bench()
        var left = [content, content]
        let kind = await refusal {
            _ = try await bench.store.upload(
                digest(content), size: 300_000, offset: 0, attempt: AttemptID(1), agent: AgentID(1)
            ) {
                left.popLast()
            }
        }
        #expect(kind == .tooLarge)
    }

    @Test func onlyALiveAttemptOfThatAgentMaySend() async throws {
        let bench = try Bench()
        bench.rows.begin(2, agent: 2)
        bench.rows.begin(3)
        bench.rows.end(3)
        #expect(await refusal { try await bench.store.send(content, attempt: 2) } == .notLive)
        #expect(await refusal { try await bench.store.send(content, attempt: 3) } == .notLive)
        #expect(await refusal { try await bench.store.send(content, attempt: 1, agent: 2) } == .notLive)
        try await bench.store.send(content)
        bench.rows.end(1)
        #expect(await refusal { try await bench.store.keep("a", content) } == .notLive)
    }

    /// Two agents send the same content at once: it is stored once.
    @Test func theSameContentIsStoredOnce() async throws {
        let bench = try Bench()
        for attempt in 2...6 { bench.rows.begin(Int64(attempt), agent: Int64(attempt)) }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for attempt in 2...6 {
                group.addTask { [content] in
                    try await bench.store.send(content, attempt: Int64(attempt), agent: Int64(attempt)).complete
                }
            }
            for try await complete in group { #expect(complete) }
        }
        #expect(bench.files("objects").count == 1 && bench.files("partial").isEmpty)
        #expect(bench.store.storedBytes == 300_000)
    }

    @Test func knowingADigestGivesNobodyAnotherProjectsContent() async throws {
        let bench = try Bench()
        bench.rows.begin(2, project: 2)
        bench.rows.begin(3, project: 1)
        try await bench.store.send(content)
        try await bench.store.keep("a", content)
        let name = digest(content)
        #expect(
            try await bench.store.status(of: name, size: 300_000, attempt: AttemptID(3), agent: AgentID(1)).complete)
        #expect(
            try await bench.store.status(of: name, size: 300_000, attempt: AttemptID(2), agent: AgentID(1)).complete
                == false)
        #expect(await refusal { try await bench.store.keep("a", content, attempt: 2) } == .incomplete)
        let kind = await refusal {
            _ = try await bench.store.content(name, attempt: AttemptID(2), agent: AgentID(1))
        }
        #expect(kind == .notFound)
        #expect(try await bench.store.content(name, attempt: AttemptID(3), agent: AgentID(1)).size == 300_000)
        try await bench.store.send(content, attempt: 2)
        try await bench.store.keep("a", content, attempt: 2)
    }

    @Test func limitsHold() async throws {
        var configuration = ArtifactConfiguration()
        configuration.fileBytesMax = 1000
        configuration.jobBytesMax = 2500
        configuration.storeBytesMax = 4000
        let bench = try Bench(configuration)
        bench.rows.begin(2)
        let file = { (first: UInt8) in [first] + [UInt8](repeating: 7, count: 999) }
        #expect(await refusal { try await bench.store.send(file(1) + [1]) } == .tooLarge)
        for first in 1...2 as ClosedRange<UInt8> { try await bench.store.send(file(first)) }
        #expect(await refusal { try await bench.store.send(file(3)) } == .tooLarge, "the job's limit")
        for first in 3...4 as ClosedRange<UInt8> { try await bench.store.send(file(first), attempt: 2) }
        bench.rows.begin(3)
        #expect(await refusal { try await bench.store.send(file(5), attempt: 3) } == .full)
        let short = try Bench(shortage: "Free some room.")
        #expect(await refusal { try await short.store.send(content) } == .full)
    }

    @Test func aStoreThatCantBeReadSaysSo() async throws {
        let bench = try Bench()
        bench.rows.state.withLock { $0.fails = true }
        #expect(await refusal { try await bench.store.send(content) } == .unavailable)
    }

    // MARK: Sweep

    @Test func contentGoesWhenNoRowNamesIt() async throws {
        let bench = try Bench()
        let (kept, short, unnamed) = (content, Array(content.dropLast()), Array(content.dropLast(2)))
        for bytes in [kept, short, unnamed] { try await bench.store.send(bytes) }
        let files = [("kept", kept, nil), ("short", short, 3_600_000)] as [(String, [UInt8], UInt64?)]
        let manifest = ArtifactManifest(
            files: files.map {
                .init(path: $0.0, size: UInt64($0.1.count), sha256: digest($0.1), keepMs: $0.2)
            })
        _ = try await bench.store.publish(manifest, attempt: AttemptID(1), agent: AgentID(1))
        #expect(try await bench.store.sweep() == 0, "what is new stays, whoever names it")
        #expect(bench.files("objects").count == 3)
        bench.clock.ahead.withLock { $0 = 25 * 3_600_000 }
        #expect(try await bench.store.sweep() == 2)
        #expect(bench.files("objects").map { String($0.suffix(64)) } == [digest(kept)])
        #expect(bench.store.storedBytes == 300_000)
    }

    /// What an attempt was told to be there is safe from a sweep that runs beside it, however old it is.
    @Test func aSweepLeavesWhatSomebodyReliesOn() async throws {
        let bench = try Bench()
        bench.rows.begin(2)
        try await bench.store.send(content)
        try await bench.store.keep("a", content, keepMs: 3_600_000)
        let path = try #require(bench.files("objects").first)
        let old = Date(timeIntervalSinceNow: -50 * 3600)
        try FileManager.default.setAttributes(
            [.modificationDate: old], ofItemAtPath: "\(bench.directory)/objects/\(path)")
        #expect(try await bench.store.send(content, attempt: 2).complete)
        bench.clock.ahead.withLock { $0 = 2 * 3_600_000 }
        #expect(try await bench.store.sweep() == 0, "its row has gone, its claim has not")
        try await bench.store.keep("b", content, attempt: 2)
        #expect(bench.files("objects").count == 1)
    }

    @Test func uploadsThatDoNotGoOnGo() async throws {
        let bench = try Bench()
        _ = await refusal { try await bench.store.send(content, cutAfter: 5000) }
        try await bench.store.sweep()
        #expect(bench.files("partial").count == 1)
        bench.clock.ahead.withLock { $0 = 25 * 3_600_000 }
        try await bench.store.sweep()
        #expect(bench.files("partial").isEmpty)
    }

    @Test func keepingIsBounded() async throws {
        let bench = try Bench()
        try await bench.store.send(content)
        let now = bench.clock.now
        for (asked, days) in [(nil, 90), (UInt64.max, 3650)] as [(UInt64?, Int64)] {
            try await bench.store.keep("a", content, keepMs: asked)
            let row = try #require(try await bench.store.artifacts(of: RunID(1), job: nil).first)
            #expect(abs(row.expiresAt - now - days * 24 * 3_600_000) < 60_000)
        }
    }
}
