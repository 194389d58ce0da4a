import AgentCore
import AgentLink
import AnsFlowProtocol
import AnsFlowTransport
import ControllerCore
import Crypto
import Foundation
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOSSL
import Testing

@testable import ControllerGateway

/// A store in memory: attempt 7 is agent 1's.
private final class FakeArtifacts: AgentArtifacts {
    struct State {
        var objects: [String: [UInt8]] = [:]
        var partial: [String: [UInt8]] = [:]
        var manifests: [ArtifactManifest] = []
        /// Bytes of an upload after which taking them fails, once.
        var failAfter: Int?
    }

    let state = NIOLockedValueBox(State())

    private func check(_ attempt: AttemptID, _ agent: AgentID) throws(ArtifactRefusal) {
        guard attempt == AttemptID(7), agent == AgentID(1) else { throw ArtifactRefusal(.notLive, "Not yours.") }
    }

    func status(of digest: String, size: UInt64, attempt: AttemptID, agent: AgentID) async throws(ArtifactRefusal)
        -> UploadStatus
    {
        try check(attempt, agent)
        return state.withLockedValue { state in
            if state.objects[digest] != nil { return UploadStatus(offset: size, complete: true) }
            return UploadStatus(offset: UInt64(state.partial[digest]?.count ?? 0), complete: false)
        }
    }

    func upload(
        _ digest: String, size: UInt64, offset: UInt64, attempt: AttemptID, agent: AgentID,
        next: () async throws -> [UInt8]?
    ) async throws(ArtifactRefusal) -> UploadStatus {
        try check(attempt, agent)
        if size > 10_000_000 { throw ArtifactRefusal(.tooLarge, "Too large.") }
        let held = state.withLockedValue { $0.partial[digest]?.count ?? 0 }
        guard held == Int(offset) else { throw ArtifactRefusal(.offset(UInt64(held)), "Elsewhere.") }
        do {
            while let piece = try await next() {
                try state.withLockedValue { state in
                    state.partial[digest, default: []] += piece
                    if let limit = state.failAfter, state.partial[digest, default: []].count > limit {
                        state.failAfter = nil
                        throw ArtifactRefusal(.unavailable, "Not now.")
                    }
                }
            }
        } catch {
            throw error as? ArtifactRefusal ?? ArtifactRefusal(.unavailable, "Cut.")
        }
        let bytes = state.withLockedValue { $0.partial[digest] ?? [] }
        guard bytes.count == Int(size) else { return UploadStatus(offset: UInt64(bytes.count), complete: false) }
        guard SHA256.hash(data: bytes).map({ String(format: "%02x", $0) }).joined() == digest else {
            throw ArtifactRefusal(.mismatch, "Another.")
        }
        state.withLockedValue { $0.objects[digest] = bytes }
        return UploadStatus(offset: size, complete: true)
    }

    func publish(_ manifest: ArtifactManifest, attempt: AttemptID, agent: AgentID) async throws(ArtifactRefusal)
        -> ArtifactReceipt
    {
        try check(attempt, agent)
        state.withLockedValue { $0.manifests.append(manifest) }
        return ArtifactReceipt(notes: ["noted"])
    }

    func listing(job: String, attempt: AttemptID, agent: AgentID) async throws(ArtifactRefusal) -> ArtifactListing {
        try check(attempt, agent)
        let file = ArtifactManifest.File(path: job, size: 1, sha256: String(repeating: "a", count: 64))
        return ArtifactListing(files: [file])
    }

    private struct Content: ArtifactContent {
        var bytes: [UInt8]
        var size: UInt64 { UInt64(bytes.count) }
        func read(at offset: UInt64, count: Int) async throws -> [UInt8] { Array(bytes[Int(offset)...].prefix(count)) }
    }

    func content(_ digest: String, attempt: AttemptID, agent: AgentID) async throws(ArtifactRefusal)
        -> any ArtifactContent
    {
        try check(attempt, agent)
        guard let bytes = state.withLockedValue({ $0.objects[digest] }) else {
            throw ArtifactRefusal(.notFound, "Not here.")
        }
        return Content(bytes: bytes)
    }
}

/// Content over the agents' listener, mostly between the agent's real client and the real gateway.
struct ArtifactTests {
    private static let secret = "a-token-of-enough-bytes"

    private func serve(
        _ body: (FakeArtifacts, Gateway, CertificateAuthority, FakeDirectory, TemporaryDirectory) async throws -> Void
    ) async throws {
        let data = try TemporaryDirectory()
        let authority = try CertificateAuthority.open(directory: data.path)
        let directory = FakeDirectory()
        let artifacts = FakeArtifacts()
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let gateway = try await Gateway.bind(
            Gateway.Configuration(host: "127.0.0.1", port: 0), authority: authority, directory: directory,
            events: FakeEvents(), artifacts: artifacts, state: .init(writable: { true }, generation: { 1 }),
            logger: logger)
        let serving = Task { try await gateway.run() }
        let agent = try TemporaryDirectory()
        await directory.addToken(Self.secret)
        let token = EnrolToken(secret: Self.secret, authorityFingerprint: authority.fingerprint).text
        let made = try await Enrolment(
            controller: "https://localhost:\(gateway.port)", name: "b1", labels: [:], slots: 1
        ).enrol(token: token, directory: agent.path)
        #expect(made.agent == AgentID(1))
        do {
            try await body(artifacts, gateway, authority, directory, agent)
        } catch {
            serving.cancel()
            throw error
        }
        serving.cancel()
        _ = await serving.result
    }

    private func digest(_ bytes: [UInt8]) -> String {
        SHA256.hash(data: bytes).map { String(format: "%02x", $0) }.joined()
    }

    private func client(_ directory: TemporaryDirectory, attempt: Int64 = 7) -> ArtifactClient {
        ArtifactClient(directory: directory.path, attempt: AttemptID(attempt))
    }

    /// Sends all of `bytes` from where the controller says.
    private func send(_ bytes: [UInt8], _ link: any ArtifactLink, as name: String? = nil) async throws {
        let name = name ?? digest(bytes)
        guard let from = try await link.missing(name, size: UInt64(bytes.count)) else { return }
        var rest = bytes.dropFirst(Int(from))
        try await link.send(name, size: UInt64(bytes.count), offset: from) {
            guard !rest.isEmpty else { return nil }
            defer { rest = rest.dropFirst(100_000) }
            return Array(rest.prefix(100_000))
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func manyRequestsGoOverOneConnection() async throws {
        try await serve { artifacts, _, _, _, directory in
            let big = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            try await client(directory).withLink { link in
                for bytes in [big, [], [1], big] { try await send(bytes, link) }
                let file = ArtifactManifest.File(path: "a", size: 1, sha256: digest([1]))
                #expect(try await link.publish(ArtifactManifest(files: [file])).notes == ["noted"])
                let job = "build[arch=amd64,mode=ä b&c]"
                #expect(try await link.listing(job: job).files.map(\.path) == [job])
                for from in [0, 1, 2_999_999, 3_000_000] {
                    var got: [UInt8] = []
                    try await link.fetch(digest(big), from: UInt64(from)) { got += $0 }
                    #expect(got == Array(big[from...]))
                }
            }
            #expect(artifacts.state.withLockedValue { $0.objects.count } == 3)
            #expect(artifacts.state.withLockedValue { $0.manifests.count } == 1)
        }
    }

    /// What the controller refuses reaches the step's log in its words, and the connection lives on.
    @Test(.timeLimit(.minutes(1)))
    func refusalsAreTold() async throws {
        try await serve { artifacts, _, _, _, directory in
            let other = client(directory, attempt: 8)
            let fault = await #expect(throws: ArtifactFault.self) {
                try await other.withLink { try await $0.missing(digest([1]), size: 1) }
            }
            #expect(fault == .refused("Not yours."))
            try await client(directory).withLink { link in
                await #expect(throws: ArtifactFault.refused("Not here.")) {
                    try await link.fetch(digest([9]), from: 0) { _ in }
                }
                let bytes = [UInt8](repeating: 5, count: 500_000)
                await #expect(throws: ArtifactFault.changed) { try await send(bytes, link, as: digest([1])) }
                artifacts.state.withLockedValue {
                    $0.partial = [:]
                    $0.failAfter = 200_000
                }
                await #expect(throws: ArtifactFault.away("Not now.")) { try await send(bytes, link) }
                let held = artifacts.state.withLockedValue { UInt64($0.partial.values.first?.count ?? 0) }
                await #expect(throws: ArtifactFault.offset(held)) {
                    try await link.send(digest(bytes), size: 500_000, offset: held + 1) {
                        [UInt8](repeating: 5, count: 500_000)
                    }
                }
                try await send(bytes, link)
            }
            #expect(artifacts.state.withLockedValue { $0.objects.count } == 1)
        }
    }

    /// Its end would never come: the connection is given up, and the next one works.
    @Test(.timeLimit(.minutes(1)))
    func aFileThatShrinksHoldsNothingUp() async throws {
        try await serve { artifacts, _, _, _, directory in
            let bytes = [UInt8](repeating: 5, count: 300_000)
            try await client(directory).withLink { link in
                await #expect(throws: ArtifactFault.changed) {
                    try await link.send(digest(bytes), size: 400_000, offset: 0) { nil }
                }
                await #expect(throws: ArtifactFault.away("The connection to the controller broke.")) {
                    try await link.missing(digest(bytes), size: 300_000)
                }
            }
            try await client(directory).withLink { try await send(bytes, $0) }
            #expect(artifacts.state.withLockedValue { $0.objects.count } == 1)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func onlyEnrolledAgentsGetIn() async throws {
        try await serve { _, gateway, authority, fakes, directory in
            let bench = TransportClient(ControllerAddress(host: "127.0.0.1", port: gateway.port))
            let root = try NIOSSLCertificate(bytes: authority.certificateDER, format: .der)
            let stranger = try TransportClient.tls(authorities: [root])
            let answer = try await bench.post(
                path: ArtifactPaths.manifest + "?attempt=7", body: [], answerMax: 1000, tls: stranger)
            #expect(answer.status == 401)
            await fakes.revoke(AgentID(1))
            let fault = await #expect(throws: ArtifactFault.self) {
                try await client(directory).withLink { try await $0.missing(digest([1]), size: 1) }
            }
            #expect(fault == .refused("This agent is not enrolled here, or is revoked."))
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func aControllerThatIsGoneIsAway() async throws {
        try await serve { _, gateway, _, _, directory in
            try await client(directory).withLink { _ in }
            let text = try String(contentsOfFile: directory.path + "/link.json", encoding: .utf8)
            let moved = text.replacingOccurrences(of: ":\(gateway.port)", with: ":1")
            try moved.write(toFile: directory.path + "/link.json", atomically: true, encoding: .utf8)
            let fault = await #expect(throws: ArtifactFault.self) { try await client(directory).withLink { _ in } }
            guard case .away = fault else {
                Issue.record("\(String(describing: fault))")
                return
            }
        }
    }

    // MARK: Heads

    private struct Read: Equatable {
        var attempt: AttemptID
        var action: ArtifactRequest.Action

        init(_ attempt: AttemptID, _ action: ArtifactRequest.Action) {
            self.attempt = attempt
            self.action = action
        }
    }

    private func read(_ method: HTTPMethod, _ uri: String, _ headers: HTTPHeaders = [:]) -> Read? {
        let head = HTTPRequestHead(version: .http1_1, method: method, uri: uri, headers: headers)
        return (try? ArtifactRequest(head)).map { Read($0.attempt, $0.action) }
    }

    @Test func headsAreRead() {
        let name = String(repeating: "0a", count: 32)
        #expect(
            read(.PUT, "/agent/artifacts/\(name)?attempt=3&size=10&offset=4")
                == Read(AttemptID(3), .upload(digest: name, size: 10, offset: 4)))
        #expect(
            read(.HEAD, "/agent/artifacts/\(name)?size=0&attempt=3")
                == Read(AttemptID(3), .status(digest: name, size: 0)))
        #expect(
            read(.GET, "/agent/artifacts/\(name)?attempt=3", ["range": "bytes=5-"])
                == Read(AttemptID(3), .download(digest: name, from: 5)))
        #expect(
            read(.GET, "/agent/artifact-manifest?attempt=3&job=a%5B1%5D")
                == Read(AttemptID(3), .listing(job: "a[1]")))
    }

    @Test(arguments: [
        "/agent/artifacts/\(String(repeating: "0A", count: 32))?attempt=3&size=1",
        "/agent/artifacts/../x?attempt=3&size=1",
        "/agent/artifacts/?attempt=3&size=1", "/agent/artifacts/\(String(repeating: "0a", count: 32))?size=1",
        "/agent/artifacts/\(String(repeating: "0a", count: 32))?attempt=-1&size=1",
        "/agent/artifacts/\(String(repeating: "0a", count: 32))?attempt=3&size=99999999999999999999",
        "/agent/artifacts/\(String(repeating: "0a", count: 32))?attempt=3&size=1&offset=2",
        "/agent/artifacts/\(String(repeating: "0a", count: 32))?attempt=3&attempt=4&size=1",
        "/agent/artifactsx?attempt=3", "/agent/artifact-manifest", "/agent/artifact-manifest/x?attempt=3",
    ])
    func malformedHeadsAreRefused(_ uri: String) {
        #expect(read(.PUT, uri) == nil)
        #expect(read(.GET, "/agent/artifact-manifest?attempt=3&job=%zz") == nil)
        #expect(read(.DELETE, "/agent/artifact-manifest?attempt=3") == nil)
    }
}
