package import NIOHTTP1

/// The limits of HTTP heads and bodies; every one is passed to the decoder, whose own defaults are far higher.
package struct HTTPLimits: Sendable {
    package var headerListBytesMax = 16 * 1024
    package var headerFieldBytesMax = 8 * 1024
    package var headerCountMax = 100
    /// From accept or connect until the request's head and body, or the answer's, are there. TLS is within.
    package var deadline = Duration.seconds(10)

    package init() {}

    var decoder: NIOHTTPDecoderLimitConfiguration {
        var configuration = NIOHTTPDecoderLimitConfiguration()
        configuration.maxHeaderListSize = headerListBytesMax
        configuration.maxHeaderFieldSize = headerFieldBytesMax
        configuration.maxHeaderFieldCount = headerCountMax
        return configuration
    }
}

/// A request's head with what the connection says about who sent it.
package struct ServerRequest: Sendable {
    package var method: HTTPMethod
    /// Without query.
    package var path: String
    /// What stands behind the path's `?`; empty where nothing does.
    package var query: String
    package var headers: HTTPHeaders
    /// The client's address, without its port.
    package var remoteAddress: String
    /// The client certificate, which TLS has verified against the listener's trust roots.
    package var peerCertificateDER: [UInt8]?
    /// When its connection was accepted.
    package var acceptedAt: ContinuousClock.Instant

    /// Whether the client asks for a WebSocket with one of these subprotocols, in RFC 6455's terms.
    package func asksForWebSocket(_ subprotocol: String) -> Bool {
        method == .GET
            && headers[canonicalForm: "connection"].contains { $0.lowercased() == "upgrade" }
            && headers[canonicalForm: "upgrade"].contains { $0.lowercased() == "websocket" }
            && headers[canonicalForm: "sec-websocket-protocol"].contains { $0 == subprotocol }
            && headers["sec-websocket-key"].count == 1 && headers["sec-websocket-version"] == ["13"]
    }
}

package struct HTTPAnswer: Equatable, Sendable {
    package var status: Int
    package var contentType: String
    package var body: [UInt8]

    package init(status: Int, contentType: String = "application/json", body: [UInt8]) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }

    package static func text(_ status: Int, _ sentence: String) -> HTTPAnswer {
        HTTPAnswer(status: status, contentType: "text/plain; charset=utf-8", body: Array((sentence + "\n").utf8))
    }
}

/// What a listener does with a request, decided on its head alone.
package enum RequestDecision: Sendable {
    case upgrade(subprotocol: String, WebSocketOptions)
    /// Read the body, at most so many bytes, then ask for an answer.
    case readBody(max: Int)
    /// Hand the connection over: this request and those that follow on it are read and answered piece by piece.
    case stream
    case answer(HTTPAnswer)
}
