package import NIOCore
package import NIOHTTP1
import NIOPosix
package import NIOSSL

/// A client's connection that carries requests one after the other, piece by piece.
package typealias HTTPClientStream = NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>

extension TransportClient {
    /// Dials for requests that are sent and answered piece by piece, one after the other.
    package func stream(tls: NIOSSLContext) async throws(DialError) -> HTTPClientStream {
        let name = serverName
        let limits = limits
        do {
            return try await bootstrap.connect(host: address.host, port: address.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try SocketOptions.apply(to: channel)
                    try channel.pipeline.syncOperations.addHandlers([
                        NIOSSLClientHandler(context: tls, serverHostname: name), HTTPRequestEncoder(),
                        ByteToMessageHandler(
                            HTTPResponseDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: limits.decoder)),
                    ])
                    return try HTTPStreams.install(on: channel)
                }
            }
        } catch {
            throw DialError.from(error)
        }
    }
}
