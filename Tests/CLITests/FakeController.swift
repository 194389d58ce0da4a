import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
import Synchronization

/// A small HTTP and WebSocket server on loopback that answers as a test says and remembers what it was asked.
final class FakeController: Sendable {
    struct Request: Sendable {
        var method: String
        var uri: String
        var headers: [String: String]
        var body: String

        var path: String { String(uri.prefix { $0 != "?" }) }
        var query: [String: String] {
            var result: [String: String] = [:]
            for pair in uri.split(separator: "?", maxSplits: 1).dropFirst().joined().split(separator: "&") {
                let parts = pair.split(separator: "=", maxSplits: 1)
                result[String(parts[0])] = parts.count > 1 ? String(parts[1]) : ""
            }
            return result
        }
    }

    struct Response: Sendable {
        var status: Int
        var body: String
        var type = "application/json"

        static func json(_ body: String, status: Int = 200) -> Response { Response(status: status, body: body) }
        static func problem(_ status: Int, _ detail: String) -> Response {
            Response(
                status: status, body: #"{"title":"t","status":\#(status),"detail":"\#(detail)","request_id":"r-1"}"#,
                type: "application/problem+json")
        }
    }

    typealias Answer = @Sendable (Request) -> Response
    /// Gets every WebSocket once it is open.
    typealias Opened = @Sendable (Socket, Request) -> Void

    /// The server's side of a WebSocket.
    struct Socket: Sendable {
        let channel: any Channel
        func send(_ text: String) {
            let frame = WebSocketFrame(fin: true, opcode: .text, data: ByteBuffer(string: text))
            channel.writeAndFlush(frame, promise: nil)
        }
        func drop() { channel.close(promise: nil) }
    }

    private let seen = Mutex<[Request]>([])
    private let channel: any Channel

    var requests: [Request] { seen.withLock { $0 } }
    var url: String { "http://127.0.0.1:\(channel.localAddress?.port ?? 0)" }

    init(answer: @escaping Answer, opened: @escaping Opened = { socket, _ in socket.drop() }) async throws {
        let record = Recorder()
        let bootstrap = ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = Handler(answer: answer, record: record)
                    let upgrader = NIOWebSocketServerUpgrader(
                        shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture(HTTPHeaders()) },
                        upgradePipelineHandler: { channel, head in
                            let request = Request(
                                method: head.method.rawValue, uri: head.uri, headers: Handler.dictionary(head.headers),
                                body: "")
                            record.add(request)
                            opened(Socket(channel: channel), request)
                            return channel.eventLoop.makeSucceededVoidFuture()
                        })
                    let box = NIOLoopBound(handler, eventLoop: channel.eventLoop)
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(
                        withServerUpgrade: (
                            upgraders: [upgrader],
                            completionHandler: { context in
                                context.pipeline.syncOperations.removeHandler(box.value, promise: nil)
                            }
                        ))
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
        channel = try await bootstrap.bind(host: "127.0.0.1", port: 0).get()
        record.sink = { [weak self] request in self?.seen.withLock { $0.append(request) } }
    }

    func close() async { try? await channel.close() }

    private final class Recorder: Sendable {
        private let target = Mutex<(@Sendable (Request) -> Void)?>(nil)
        var sink: (@Sendable (Request) -> Void)? {
            get { target.withLock { $0 } }
            set { target.withLock { $0 = newValue } }
        }
        func add(_ request: Request) { sink?(request) }
    }

    private final class Handler: ChannelInboundHandler, RemovableChannelHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let answer: Answer
        private let record: Recorder
        private var head: HTTPRequestHead?
        private var body = ""

        init(answer: @escaping Answer, record: Recorder) {
            self.answer = answer
            self.record = record
        }

        static func dictionary(_ headers: HTTPHeaders) -> [String: String] {
            Dictionary(headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { first, _ in first })
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                self.head = head
                body = ""
            case .body(let buffer):
                body += String(buffer: buffer)
            case .end:
                guard let head else { return }
                let request = Request(
                    method: head.method.rawValue, uri: head.uri, headers: Self.dictionary(head.headers), body: body)
                record.add(request)
                let response = answer(request)
                let headers: HTTPHeaders = [
                    "Content-Type": response.type, "Content-Length": String(response.body.utf8.count),
                ]
                let status = HTTPResponseStatus(statusCode: response.status)
                context.write(
                    wrapOutboundOut(.head(.init(version: .http1_1, status: status, headers: headers))), promise: nil)
                context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: response.body)))), promise: nil)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            }
        }
    }
}
