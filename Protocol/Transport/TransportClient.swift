import NIOConcurrencyHelpers
package import NIOCore
import NIOHTTP1
import NIOPosix
package import NIOSSL

/// Connects to a controller's listener for agents.
package struct TransportClient: Sendable {
    package var address: ControllerAddress
    package var limits = HTTPLimits()
    private let group: any EventLoopGroup

    package init(_ address: ControllerAddress, group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton) {
        self.address = address
        self.group = group
    }

    /// A TLS configuration that trusts `authorities` and nothing else, and checks names.
    ///
    /// - Parameter identity: The client certificate with its key, both PEM; `nil` to show none.
    package static func tls(
        authorities: [NIOSSLCertificate], identity: (certificate: [UInt8], key: [UInt8])? = nil
    ) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.certificateVerification = .fullVerification
        configuration.trustRoots = .certificates(authorities)
        configuration.shutdownTimeout = .seconds(1)
        if let identity {
            configuration.certificateChain = try NIOSSLCertificate.fromPEMBytes(identity.certificate)
                .map { .certificate($0) }
            configuration.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: identity.key, format: .pem))
        }
        return try NIOSSLContext(configuration: configuration)
    }

    /// Dials, and upgrades to a WebSocket.
    package func webSocket(
        path: String, subprotocol: String, options: WebSocketOptions, tls: NIOSSLContext
    ) async throws(DialError) -> MessageConnection {
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: path, headers: ["host": address.authority])
        switch try await dial(head, .webSocket(subprotocol: subprotocol, options), tls) {
        case .webSocket(let connection): return connection
        case .answer(let answer):
            let text = String(decoding: answer.body.prefix(300), as: UTF8.self)
            throw DialError(
                .refused(status: answer.status), "The controller refused the connection (\(answer.status)): \(text)")
        }
    }

    /// Sends one request and reads its answer.
    ///
    /// - Parameter answerMax: Most bytes of the answer's body.
    package func post(
        path: String, body: [UInt8], answerMax: Int, tls: NIOSSLContext
    ) async throws(DialError) -> HTTPAnswer {
        let head = HTTPRequestHead(
            version: .http1_1, method: .POST, uri: path,
            headers: ["host": address.authority, "content-type": "application/json"])
        switch try await dial(head, .exchange(body: body, answerMax: answerMax), tls) {
        case .answer(let answer): return answer
        case .webSocket: throw DialError(.unexpected, "The controller switched protocols unasked.")
        }
    }

    /// The certificates that the listener shows, as DER, trusted by nobody yet. The connection is given up before any byte is
    /// sent on it.
    package func presentedChain() async throws(DialError) -> [[UInt8]] {
        let seen = NIOLockedValueBox<[[UInt8]]>([])
        do {
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.minimumTLSVersion = .tlsv12
            let context = try NIOSSLContext(configuration: configuration)
            let done = group.any().makePromise(of: Void.self)
            let name = serverName
            let channel = try await bootstrap.connect(host: address.host, port: address.port) { channel in
                channel.closeFuture.whenComplete { _ in done.succeed() }
                return channel.eventLoop.makeCompletedFuture {
                    let handler = try NIOSSLClientHandler(
                        context: context, serverHostname: name,
                        customVerificationCallback: { chain, verdict in
                            seen.withLockedValue { $0 = chain.compactMap { try? $0.toDERBytes() } }
                            // The peer is not trusted: its certificates were all that was wanted.
                            verdict.succeed(NIOSSLVerificationResult.failed)
                        })
                    try channel.pipeline.syncOperations.addHandlers([handler, CloseOnError()])
                    return channel
                }
            }
            let timer = channel.eventLoop.scheduleTask(in: .nanoseconds(limits.deadline.nanoseconds)) {
                channel.close(promise: nil)
            }
            try await done.futureResult.get()
            timer.cancel()
        } catch {
            throw DialError.from(error)
        }
        let chain = seen.withLockedValue { $0 }
        guard !chain.isEmpty else { throw DialError(.tls, "The other side does not speak TLS at this port.") }
        return chain
    }

    /// The name for SNI and for the check of the certificate; `nil` where the address is a number, which is checked itself.
    var serverName: String? {
        (try? SocketAddress(ipAddress: address.host, port: address.port)) == nil ? address.host : nil
    }

    var bootstrap: ClientBootstrap {
        ClientBootstrap(group: group)
            .connectTimeout(.nanoseconds(limits.deadline.nanoseconds))
            .channelOption(.maxMessagesPerRead, value: 4)
    }

    private func dial(
        _ head: HTTPRequestHead, _ wish: ClientGate.Wish, _ context: NIOSSLContext
    ) async throws(DialError) -> ClientGate.Outcome {
        let name = serverName
        let limits = limits
        do {
            let outcome = try await bootstrap.connect(host: address.host, port: address.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try SocketOptions.apply(to: channel)
                    let outcome = channel.eventLoop.makePromise(of: ClientGate.Outcome.self)
                    let encoder = HTTPRequestEncoder()
                    let decoder = ByteToMessageHandler(
                        HTTPResponseDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: limits.decoder))
                    do {
                        try channel.pipeline.syncOperations.addHandlers([
                            NIOSSLClientHandler(context: context, serverHostname: name), encoder, decoder,
                            ClientGate(
                                head: head, wish: wish, codecs: [encoder, decoder], deadline: limits.deadline,
                                outcome: outcome),
                        ])
                    } catch {
                        outcome.fail(error)
                        throw error
                    }
                    return outcome.futureResult
                }
            }
            return try await outcome.get()
        } catch {
            throw DialError.from(error)
        }
    }
}

/// Closes a channel on its first error.
private final class CloseOnError: ChannelInboundHandler {
    typealias InboundIn = NIOAny

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
