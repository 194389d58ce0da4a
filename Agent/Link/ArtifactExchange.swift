import AgentCore
import AnsFlowProtocol
import NIOCore
import NIOHTTP1

/// Requests and answers on one connection, one after the other.
final class ArtifactExchange: ArtifactLink {
    /// Bytes of a sentence that a refusal may have.
    private static let sentenceMax = 4096

    private let attempt: AttemptID
    private var inbound: NIOAsyncChannelInboundStream<HTTPClientResponsePart>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<HTTPClientRequestPart>
    /// A request was begun and can't be ended: nothing more can be said on this connection.
    private var isSpent = false

    init(
        attempt: AttemptID, inbound: NIOAsyncChannelInboundStream<HTTPClientResponsePart>.AsyncIterator,
        outbound: NIOAsyncChannelOutboundWriter<HTTPClientRequestPart>
    ) {
        self.attempt = attempt
        self.inbound = inbound
        self.outbound = outbound
    }

    // MARK: Requests

    func missing(_ digest: String, size: UInt64) async throws -> UInt64? {
        try await request(.HEAD, ArtifactPaths.content + digest, "size=\(size)")
        let head = try await head()
        try await skipBody()
        guard head.status == .ok else {
            throw Self.fault(of: head, sentence: head.headers.first(name: "ansflow-reason"))
        }
        if head.headers.first(name: ArtifactPaths.completeField) == "1" { return nil }
        return Self.offset(head) ?? 0
    }

    func send(_ digest: String, size: UInt64, offset: UInt64, next: () async throws -> [UInt8]?) async throws {
        try await request(
            .PUT, ArtifactPaths.content + digest, "size=\(size)&offset=\(offset)", length: size - offset)
        var left = size - offset
        // A file that grows is cut, as the controller expects; one that shrinks leaves a request that can't be ended.
        while left > 0, let piece = try await next() {
            let bytes = piece.prefix(Int(clamping: left))
            left -= UInt64(bytes.count)
            try await write(.body(.byteBuffer(ByteBuffer(bytes: bytes))))
        }
        guard left == 0 else {
            isSpent = true
            throw ArtifactFault.changed
        }
        try await write(.end(nil))
        let head = try await head()
        try await check(head)
        guard head.headers.first(name: ArtifactPaths.completeField) == "1" else {
            throw ArtifactFault.offset(Self.offset(head) ?? 0)
        }
        try await skipBody()
    }

    func publish(_ manifest: ArtifactManifest) async throws -> ArtifactReceipt {
        let bytes: [UInt8]
        do { bytes = try WireCodec.encode(manifest) } catch { throw ArtifactFault.refused(error.description) }
        guard bytes.count <= ArtifactLimits.manifestBytesMax else {
            throw ArtifactFault.refused(
                "The names of all files together are too long: \(bytes.count) bytes, and \(ArtifactLimits.manifestBytesMax) are allowed."
            )
        }
        try await request(.PUT, ArtifactPaths.manifest, "", length: UInt64(bytes.count))
        try await write(.body(.byteBuffer(ByteBuffer(bytes: bytes))))
        try await write(.end(nil))
        try await check(try await head())
        let answer = try await body(max: ArtifactLimits.manifestBytesMax)
        do { return try WireCodec.decodeReceipt(answer) } catch { throw ArtifactFault.refused(error.description) }
    }

    func listing(job: String) async throws -> ArtifactListing {
        try await request(.GET, ArtifactPaths.manifest, "job=\(Self.escaped(job))")
        try await check(try await head())
        let answer = try await body(max: ArtifactLimits.manifestBytesMax)
        do { return try WireCodec.decodeListing(answer) } catch { throw ArtifactFault.refused(error.description) }
    }

    func fetch(_ digest: String, from offset: UInt64, into piece: ([UInt8]) async throws -> Void) async throws {
        try await request(.GET, ArtifactPaths.content + digest, "", range: offset)
        try await check(try await head())
        while let more = try await next() { try await piece(more) }
    }

    // MARK: Parts

    private func request(
        _ method: HTTPMethod, _ path: String, _ query: String, length: UInt64? = nil, range: UInt64 = 0
    ) async throws {
        guard !isSpent else { throw ArtifactFault.away("The connection to the controller broke.") }
        let more = query.isEmpty ? "" : "&\(query)"
        var head = HTTPRequestHead(
            version: .http1_1, method: method, uri: "\(path)?attempt=\(attempt)\(more)", headers: ["host": "controller"]
        )
        if let length { head.headers.add(name: "content-length", value: String(length)) }
        if range > 0 { head.headers.add(name: "range", value: "bytes=\(range)-") }
        try await write(.head(head))
        if length == nil { try await write(.end(nil)) }
    }

    private func write(_ part: HTTPClientRequestPart) async throws {
        do {
            try await outbound.write(part)
        } catch {
            throw Self.broken(error)
        }
    }

    private func part() async throws -> HTTPClientResponsePart? {
        do {
            return try await inbound.next()
        } catch {
            throw Self.broken(error)
        }
    }

    /// Whatever a connection fails with, it may work on the next one.
    private static func broken(_ error: any Error) -> any Error {
        error is CancellationError ? error : ArtifactFault.away("The connection to the controller broke.")
    }

    private func head() async throws -> HTTPResponseHead {
        while let part = try await part() {
            if case .head(let head) = part { return head }
        }
        throw ArtifactFault.away("The controller cut the connection.")
    }

    /// The next bytes of the answer's body; nil at its end.
    private func next() async throws -> [UInt8]? {
        while let part = try await part() {
            switch part {
            case .head: continue
            case .body(let bytes): return Array(bytes.readableBytesView)
            case .end: return nil
            }
        }
        throw ArtifactFault.away("The controller cut the connection.")
    }

    private func body(max: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let more = try await next() {
            guard bytes.count + more.count <= max else {
                throw ArtifactFault.refused("The controller's answer is too long.")
            }
            bytes += more
        }
        return bytes
    }

    private func skipBody() async throws { while try await next() != nil {} }

    /// Throws what an answer that is none means.
    private func check(_ head: HTTPResponseHead) async throws {
        guard !(200..<300).contains(head.status.code) else { return }
        let bytes = try await body(max: Self.sentenceMax)
        throw Self.fault(of: head, sentence: String(decoding: bytes, as: UTF8.self))
    }

    private static func offset(_ head: HTTPResponseHead) -> UInt64? {
        head.headers.first(name: ArtifactPaths.offsetField).flatMap { UInt64($0) }
    }

    private static func fault(of head: HTTPResponseHead, sentence: String?) -> ArtifactFault {
        let said = (sentence ?? "").split(separator: "\n").first.map(String.init)
        let text = said ?? "The controller answered \(head.status.code)."
        switch head.status.code {
        case 409: return offset(head).map { .offset($0) } ?? .away(text)
        case 422: return .changed
        case 424: return .incomplete
        case 429, 500...506: return .away(text)
        default: return .refused(text)
        }
    }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for byte in text.utf8 {
            switch byte {
            case 48...57, 65...90, 97...122, 45, 46, 95, 126: escaped.unicodeScalars.append(UnicodeScalar(byte))
            default: escaped += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return escaped
    }
}
