import AnsFlowProtocol
import AnsFlowTransport
import ControllerCore
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1

/// `/agent/artifacts`: content up and down, on connections of their own that carry many requests.
///
/// Who asks is decided by the client certificate, whether it may by the attempt that each request names.
struct ArtifactEndpoint: Sendable {
    /// Connections of one agent at a time.
    private static let connectionsMax = 64
    /// Bytes that are read of a body that nobody wants, before the connection is cut.
    private static let unwantedMax = 16 * 1024 * 1024
    private static let pieceBytes = 256 * 1024

    var directory: any AgentDirectory
    var artifacts: any AgentArtifacts
    var logger: Logger
    private let open = NIOLockedValueBox<[AgentID: Int]>([:])

    init(directory: any AgentDirectory, artifacts: any AgentArtifacts, logger: Logger) {
        self.directory = directory
        self.artifacts = artifacts
        self.logger = logger
    }

    private typealias Inbound = NIOAsyncChannelInboundStream<HTTPServerRequestPart>.AsyncIterator
    private typealias Outbound = NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>

    func serve(_ stream: HTTPServerStream, _ request: ServerRequest, _ ticket: AddressLimiter.Ticket) async {
        do {
            try await stream.executeThenClose { inbound, outbound in
                var inbound = inbound.makeAsyncIterator()
                let agent: AgentID
                do throws(ArtifactRequest.Refusal) {
                    agent = try await known(request)
                } catch {
                    return try await refuse(error, request, outbound)
                }
                ticket.release()
                guard enter(agent) else {
                    return try await refuse(
                        .init(status: 429, sentence: "Too many connections of this agent."), request, outbound)
                }
                defer { leave(agent) }
                while let part = try await inbound.next() {
                    guard case .head(let head) = part else { continue }
                    guard try await answer(head, agent, &inbound, outbound) else { return }
                }
            }
        } catch {
            logger.debug("an artifact connection ended", metadata: ["error": "\(error)"])
        }
    }

    private func known(_ request: ServerRequest) async throws(ArtifactRequest.Refusal) -> AgentID {
        guard let key = request.peerCertificateDER.flatMap({ KeyFingerprint.of(certificateDER: $0) }) else {
            throw .init(status: 401, sentence: "Without a client certificate a connection may only enrol.")
        }
        let agent: KnownAgent?
        do {
            agent = try await directory.agent(forKey: key)
        } catch {
            throw .init(status: 503, sentence: "The controller can't look the agent up at the moment.")
        }
        guard let agent, !agent.revoked else {
            throw .init(status: 403, sentence: "This agent is not enrolled here, or is revoked.")
        }
        return agent.id
    }

    private func enter(_ agent: AgentID) -> Bool {
        open.withLockedValue { open in
            guard open[agent, default: 0] < Self.connectionsMax else { return false }
            open[agent, default: 0] += 1
            return true
        }
    }

    private func leave(_ agent: AgentID) {
        open.withLockedValue { open in
            let left = (open[agent] ?? 1) - 1
            open[agent] = left > 0 ? left : nil
        }
    }

    // MARK: Requests

    /// - Returns: Whether another request may follow on the connection.
    private func answer(
        _ head: HTTPRequestHead, _ agent: AgentID, _ inbound: inout Inbound, _ outbound: Outbound
    ) async throws -> Bool {
        var body = Body()
        let answer: HTTPAnswer
        var fields: HTTPHeaders = [:]
        do {
            let request = try ArtifactRequest(head)
            switch request.action {
            case .download(let digest, let from):
                try await finish(&body, &inbound)
                let content = try await artifacts.content(digest, attempt: request.attempt, agent: agent)
                return try await send(content, from: from, head, outbound)
            case .status(let digest, let size):
                try await finish(&body, &inbound)
                let status = try await artifacts.status(of: digest, size: size, attempt: request.attempt, agent: agent)
                fields = Self.fields(of: status)
                answer = .text(200, "")
            case .upload(let digest, let size, let offset):
                let status = try await artifacts.upload(
                    digest, size: size, offset: offset, attempt: request.attempt, agent: agent
                ) {
                    try await Self.next(&body, &inbound)
                }
                fields = Self.fields(of: status)
                answer = .text(status.complete ? 201 : 202, "")
            case .listing(let job):
                try await finish(&body, &inbound)
                let listing = try await artifacts.listing(job: job, attempt: request.attempt, agent: agent)
                answer = HTTPAnswer(status: 200, body: try WireCodec.encode(listing))
            case .publish:
                let bytes = try await whole(&body, &inbound)
                let manifest = try WireCodec.decodeManifest(bytes)
                let receipt = try await artifacts.publish(manifest, attempt: request.attempt, agent: agent)
                answer = HTTPAnswer(status: 200, body: try WireCodec.encode(receipt))
            }
        } catch let refusal as ArtifactRequest.Refusal {
            return try await decline(refusal, fields, head, &body, &inbound, outbound)
        } catch let error as WireError {
            let refusal = ArtifactRequest.Refusal(status: 400, sentence: error.description)
            return try await decline(refusal, fields, head, &body, &inbound, outbound)
        } catch let refusal as ArtifactRefusal {
            if case .offset(let offset) = refusal.kind {
                fields.add(name: ArtifactPaths.offsetField, value: "\(offset)")
            }
            let refusal = ArtifactRequest.Refusal(status: Self.status(of: refusal.kind), sentence: refusal.description)
            return try await decline(refusal, fields, head, &body, &inbound, outbound)
        }
        try await finish(&body, &inbound)
        try await write(answer, fields, isHead: head.method == .HEAD, isLast: false, outbound)
        return true
    }

    private static func fields(of status: UploadStatus) -> HTTPHeaders {
        [ArtifactPaths.offsetField: "\(status.offset)", ArtifactPaths.completeField: status.complete ? "1" : "0"]
    }

    private static func status(of kind: ArtifactRefusal.Kind) -> Int {
        switch kind {
        case .notLive: 403
        case .notFound: 404
        case .offset, .busy: 409
        case .incomplete: 424
        case .mismatch: 422
        case .tooLarge: 413
        case .full: 507
        case .unavailable: 503
        }
    }

    // MARK: Bodies

    /// Where the reading of a request's body is.
    private struct Body {
        var isOver = false
        var read = 0
    }

    private static func next(_ body: inout Body, _ inbound: inout Inbound) async throws -> [UInt8]? {
        while !body.isOver {
            switch try await inbound.next() {
            case .body(let bytes) where bytes.readableBytes > 0:
                body.read += bytes.readableBytes
                return Array(bytes.readableBytesView)
            case .head, .body: continue
            case .end: body.isOver = true
            case nil: throw ChannelError.inputClosed
            }
        }
        return nil
    }

    private func whole(_ body: inout Body, _ inbound: inout Inbound) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let more = try await Self.next(&body, &inbound) {
            guard bytes.count + more.count <= ArtifactLimits.manifestBytesMax else {
                throw ArtifactRequest.Refusal(
                    status: 413, sentence: "A manifest has at most \(ArtifactLimits.manifestBytesMax) bytes.")
            }
            bytes += more
        }
        return bytes
    }

    /// Reads what is left of a body, so that the next request can be found behind it.
    private func finish(_ body: inout Body, _ inbound: inout Inbound) async throws {
        var unwanted = 0
        while let more = try await Self.next(&body, &inbound) {
            unwanted += more.count
            guard unwanted <= Self.unwantedMax else { throw ChannelError.inputClosed }
        }
    }

    // MARK: Answers

    private func refuse(
        _ refusal: ArtifactRequest.Refusal, _ request: ServerRequest, _ outbound: Outbound
    ) async throws {
        try await write(
            .text(refusal.status, refusal.sentence), Self.reason(refusal), isHead: request.method == .HEAD,
            isLast: true, outbound)
    }

    /// An answer to HEAD has no body. All sentences are ASCII, and none holds what a stranger wrote.
    private static func reason(_ refusal: ArtifactRequest.Refusal) -> HTTPHeaders {
        ["ansflow-reason": String(refusal.sentence.filter { $0.isASCII && !$0.isNewline })]
    }

    private func decline(
        _ refusal: ArtifactRequest.Refusal, _ fields: HTTPHeaders, _ head: HTTPRequestHead, _ body: inout Body,
        _ inbound: inout Inbound, _ outbound: Outbound
    ) async throws -> Bool {
        var fields = fields
        fields.add(contentsOf: Self.reason(refusal))
        try await write(
            .text(refusal.status, refusal.sentence), fields, isHead: head.method == .HEAD, isLast: false, outbound)
        try await finish(&body, &inbound)
        return true
    }

    private func write(
        _ answer: HTTPAnswer, _ fields: HTTPHeaders, isHead: Bool, isLast: Bool, _ outbound: Outbound
    ) async throws {
        var headers = fields
        headers.add(name: "content-type", value: answer.contentType)
        headers.add(name: "content-length", value: String(answer.body.count))
        if isLast { headers.add(name: "connection", value: "close") }
        let head = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: answer.status), headers: headers)
        try await outbound.write(.head(head))
        if !isHead { try await outbound.write(.body(.byteBuffer(ByteBuffer(bytes: answer.body)))) }
        try await outbound.write(.end(nil))
    }

    private func send(
        _ content: any ArtifactContent, from: UInt64, _ head: HTTPRequestHead, _ outbound: Outbound
    ) async throws -> Bool {
        guard from <= content.size else {
            try await write(
                .text(416, "The content has \(content.size) bytes."), [:], isHead: false, isLast: false, outbound)
            return true
        }
        let headers: HTTPHeaders = [
            "content-type": "application/octet-stream", "content-length": String(content.size - from),
        ]
        try await outbound.write(
            .head(HTTPResponseHead(version: .http1_1, status: from == 0 ? .ok : .partialContent, headers: headers)))
        var offset = from
        while offset < content.size {
            let piece = try await content.read(at: offset, count: Self.pieceBytes)
            try await outbound.write(.body(.byteBuffer(ByteBuffer(bytes: piece))))
            offset += UInt64(piece.count)
        }
        try await outbound.write(.end(nil))
        return true
    }
}
