import AnsFlowTransport
import AsyncHTTPClient
package import ControllerCore
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// How requests to other servers are made.
package struct OutgoingConfiguration: Sendable {
    package var policy: AddressPolicy
    /// PEM files of authorities that are trusted beside the system's own.
    package var trustFiles: [String] = []
    /// Requests at one time, and those that wait for their turn.
    package var concurrentMax = 16
    package var waitingMax = 256
    package var connectTimeoutMs: Int64 = 5_000
    /// Addresses of one name that are tried.
    package var addressesMax = 3
    package var userAgent = "AnsFlow"

    package init(policy: AddressPolicy) { self.policy = policy }
}

/// Sends requests to addresses that others named. A name is resolved once for each request and each redirect; all its addresses are
/// checked, and the connection goes to a checked one, so a name that changes its answer between check and use gains nothing.
/// Certificates are verified against the name.
package final class OutgoingClient: OutgoingHTTP {
    private let configuration: OutgoingConfiguration
    private let resolver: any AddressResolving
    private let group: any EventLoopGroup
    private let tls: TLSConfiguration
    private let slots: Slots

    /// Redirects that are followed at most, whatever a request says.
    private static let redirectsMax = 3

    /// - Throws: where a file of trusted authorities can't be read.
    package init(
        _ configuration: OutgoingConfiguration, resolver: any AddressResolving = SystemResolver()
    ) throws {
        self.configuration = configuration
        self.resolver = resolver
        group = MultiThreadedEventLoopGroup.singleton
        slots = Slots(configuration.concurrentMax, waitingMax: configuration.waitingMax)
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        tls.additionalTrustRoots = try configuration.trustFiles.map { path in
            .certificates(try NIOSSLCertificate.fromPEMFile(path))
        }
        self.tls = tls
    }

    package func send(_ request: OutgoingRequest) async throws(OutgoingFailure) -> OutgoingAnswer {
        guard await slots.enter() else { throw .busy }
        let result: Result<OutgoingAnswer, OutgoingFailure> = await withinTime(request)
        await slots.leave()
        return try result.get()
    }

    private func withinTime(_ request: OutgoingRequest) async -> Result<OutgoingAnswer, OutgoingFailure> {
        await withTaskGroup(of: Result<OutgoingAnswer, OutgoingFailure>.self) { group in
            group.addTask { await self.follow(request) }
            group.addTask {
                try? await Task.sleep(for: .milliseconds(request.timeoutMs))
                return .failure(.unreachable("There was no whole answer within \(request.timeoutMs) ms."))
            }
            let first = await group.next()
            group.cancelAll()
            return first ?? .failure(.unreachable("The request was given up."))
        }
    }

    /// The request and its redirects.
    private func follow(_ request: OutgoingRequest) async -> Result<OutgoingAnswer, OutgoingFailure> {
        do throws(OutgoingFailure) {
            var url = try Self.url { () throws(AddressPolicy.Malformed) in try OutgoingURL(request.url) }
            var headers = request.headers
            var left = min(request.redirectsMax, Self.redirectsMax)
            while true {
                let answer = try await exchange(request, url, headers)
                guard left > 0, [301, 302, 303, 307, 308].contains(answer.status),
                    let location = answer.headers["location"],
                    answer.status >= 307 || request.method == "GET" || request.method == "HEAD"
                else { return .success(answer) }
                left -= 1
                let from = url
                url = try Self.url { () throws(AddressPolicy.Malformed) in try from.following(location) }
                guard url.isTLS || !from.isTLS else {
                    throw .refused("\(from.host) redirects to an address without TLS, which is not followed.")
                }
                // Another server gets none of what was meant for the first.
                if !url.hasSameOrigin(as: from) { headers = headers.filter { Self.isHarmless($0.name) } }
            }
        } catch {
            return .failure(error)
        }
    }

    private static func isHarmless(_ name: String) -> Bool { ["accept", "user-agent"].contains(name.lowercased()) }

    private static func url(
        _ make: () throws(AddressPolicy.Malformed) -> OutgoingURL
    ) throws(OutgoingFailure) -> OutgoingURL {
        do { return try make() } catch { throw .refused(error.description) }
    }

    private func exchange(
        _ request: OutgoingRequest, _ url: OutgoingURL, _ headers: [(name: String, value: String)]
    ) async throws(OutgoingFailure) -> OutgoingAnswer {
        let addresses = try await addresses(of: url)
        do { try configuration.policy.check(addresses, of: url) } catch { throw .refused(error.text) }
        var last = OutgoingFailure.unreachable("\(url.host) has no address.")
        for address in addresses.prefix(configuration.addressesMax) {
            do {
                return try await exchange(request, url, headers, at: address)
            } catch {
                last = .unreachable(Self.words(error, url, address))
                // What may have arrived is not sent to another address as well.
                guard Self.isBeforeSending(error) else { break }
            }
        }
        throw last
    }

    private func addresses(of url: OutgoingURL) async throws(OutgoingFailure) -> [IPAddress] {
        if let address = url.address { return [address] }
        let found: [IPAddress]
        do {
            found = try await resolver.addresses(of: url.host)
        } catch let error as OutgoingFailure {
            throw error
        } catch {
            throw .unreachable("\(error)")
        }
        guard !found.isEmpty else { throw .unreachable("The name \(url.host) has no address.") }
        return found
    }

    /// One request to one checked address, on a connection of its own.
    private func exchange(
        _ request: OutgoingRequest, _ url: OutgoingURL, _ headers: [(name: String, value: String)],
        at address: IPAddress
    ) async throws -> OutgoingAnswer {
        var settings = HTTPClient.Configuration(tlsConfiguration: tls, redirectConfiguration: .disallow)
        settings.timeout = .init(
            connect: .milliseconds(configuration.connectTimeoutMs), read: .milliseconds(request.timeoutMs))
        settings.httpVersion = .http1Only
        settings.decompression = .disabled
        settings.connectionPool.retryConnectionEstablishment = false
        // The name stays in the Host header, in SNI and for the certificate; the connection goes to the checked address.
        if url.address == nil { settings.dnsOverride = [url.host: address.description] }
        settings.http1_1ConnectionDebugInitializer = { PeerCheck.check($0, url, address) }
        let client = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: settings)
        do {
            let answer = try await exchange(request, url, headers, client)
            try? await client.shutdown()
            return answer
        } catch {
            try? await client.shutdown()
            throw error
        }
    }

    private func exchange(
        _ request: OutgoingRequest, _ url: OutgoingURL, _ headers: [(name: String, value: String)],
        _ client: HTTPClient
    ) async throws -> OutgoingAnswer {
        var message = HTTPClientRequest(url: url.text)
        message.method = HTTPMethod(rawValue: request.method)
        let standard = url.isTLS ? 443 : 80
        message.headers.add(
            name: "Host", value: url.port == standard ? url.bracketedHost : "\(url.bracketedHost):\(url.port)")
        message.headers.add(name: "User-Agent", value: configuration.userAgent)
        message.headers.add(name: "Connection", value: "close")
        for (name, value) in headers { message.headers.replaceOrAdd(name: name, value: value) }
        if !request.body.isEmpty || request.method != "GET" { message.body = .bytes(ByteBuffer(bytes: request.body)) }
        let response = try await client.execute(message, timeout: .milliseconds(request.timeoutMs))
        var answer = OutgoingAnswer(status: Int(response.status.code))
        for (name, value) in response.headers where answer.headers[name.lowercased()] == nil {
            answer.headers[name.lowercased()] = value
        }
        for try await part in response.body {
            let room = request.answerBytesMax - answer.body.count
            answer.body += part.readableBytesView.prefix(room)
            if part.readableBytes >= room { break }
        }
        return answer
    }

    // MARK: Failures

    private static func isBeforeSending(_ error: any Error) -> Bool {
        if error is NIOConnectionError || error is IOError { return true }
        return (error as? HTTPClientError) == .connectTimeout
    }

    private static func words(_ error: any Error, _ url: OutgoingURL, _ address: IPAddress) -> String {
        let place = url.address == nil ? "\(url.host) (\(address))" : url.host
        if error is NIOSSLError || error is NIOSSLExtraError || error is BoringSSLError || error is PeerCheck.Mismatch {
            return "\(place), port \(url.port), has no certificate that proves its name, or speaks no TLS: \(error)."
        }
        if (error as? HTTPClientError) == .connectTimeout {
            return "\(place), port \(url.port), did not take a connection in time."
        }
        return "\(place), port \(url.port), could not be asked: \(error)."
    }
}
