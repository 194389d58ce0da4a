import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import NIOSSL

/// An answer with status 2xx.
package struct Answer: Sendable {
    package var status: Int
    package var body: [UInt8]
    package var headers: [(name: String, value: String)]

    /// The first header of that name.
    package func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    package func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        do {
            return try JSON.decode(type, from: body)
        } catch {
            throw ClientFailure(
                .serverFailed, "The controller's answer could not be understood: \(error)",
                cure: "Does the client have the controller's version? `ansflow --version`, `ansflow status`.")
        }
    }
}

/// Talks HTTP with one controller. Redirects are not followed, since they could carry the token elsewhere.
package actor APIClient {
    package let endpoint: Endpoint
    let http: HTTPClient
    private let store: CredentialStore
    private var kept: Credential?

    /// An answer larger than this is refused.
    package static let bodyLimit = 64 << 20
    static let timeout = TimeAmount.seconds(60)

    package init(endpoint: Endpoint, store: CredentialStore = CredentialStore()) throws {
        self.endpoint = endpoint
        self.store = store
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout = .init(connect: .seconds(10), read: .seconds(60))
        configuration.httpVersion = .http1Only
        // Refused is an answer: users and `up` decide whether to try again.
        configuration.connectionPool.retryConnectionEstablishment = false
        if let file = endpoint.caFile {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.trustRoots = .file(file)
            configuration.tlsConfiguration = tls
        }
        http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        if endpoint.token == nil { kept = try store.load().servers[endpoint.url] }
    }

    /// Must be called once, after the last request.
    package func shutdown() async {
        try? await http.shutdown()
    }

    // MARK: Requests

    package func get(_ path: String, query: [(String, String)] = [], thing: String = "") async throws -> Answer {
        try await send("GET", path, query: query, thing: thing)
    }

    package func post(_ path: String, _ body: JSONValue? = nil, idempotencyKey: String? = nil, thing: String = "")
        async throws -> Answer
    {
        var headers: [(String, String)] = []
        if let idempotencyKey { headers.append(("Idempotency-Key", idempotencyKey)) }
        return try await send("POST", path, body: body, headers: headers, thing: thing)
    }

    /// Sends a request with this client's identity; on 401 a kept login is refreshed once.
    package func send(
        _ method: String, _ path: String, query: [(String, String)] = [], body: JSONValue? = nil,
        headers: [(String, String)] = [], thing: String = ""
    ) async throws -> Answer {
        if endpoint.token == nil, let expiresAt = kept?.expiresAt, expiresAt < Date.now.addingTimeInterval(20) {
            try await refresh()
        }
        var authorized = headers
        let token = currentToken
        if let token { authorized.append(("Authorization", "Bearer \(token)")) }
        var (status, answer) = try await exchange(method, path, query, body, authorized)
        if status == 401, endpoint.token == nil, kept?.refreshToken != nil {
            try await refresh(insteadOf: token)
            authorized = headers
            if let token = currentToken { authorized.append(("Authorization", "Bearer \(token)")) }
            (status, answer) = try await exchange(method, path, query, body, authorized)
        }
        guard (200..<300).contains(status) else {
            throw Problem.failure(status: status, body: answer.body, url: endpoint.url, thing: thing)
        }
        return answer
    }

    /// Sends a request without any identity: for login, health and the like. Statuses other than 2xx are returned too.
    package func exchange(
        _ method: String, _ path: String, _ query: [(String, String)] = [], _ body: JSONValue? = nil,
        _ headers: [(String, String)] = []
    ) async throws -> (Int, Answer) {
        var request = HTTPClientRequest(url: endpoint.url + path + Self.queryText(query))
        request.method = HTTPMethod(rawValue: method)
        request.headers.add(name: "Accept", value: "application/json, application/problem+json, text/plain")
        request.headers.add(name: "User-Agent", value: "ansflow/\(Version.text)")
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(try body.bytes())
        }
        do {
            let response = try await http.execute(request, timeout: Self.timeout)
            let buffer = try await response.body.collect(upTo: Self.bodyLimit)
            return (
                Int(response.status.code),
                Answer(
                    status: Int(response.status.code), body: Array(buffer.readableBytesView),
                    headers: response.headers.map { ($0.name, $0.value) })
            )
        } catch is CancellationError {
            throw CancellationError()
        } catch is NIOTooManyBytesError {
            throw ClientFailure(
                .serverFailed, "The answer is larger than \(Self.bodyLimit) bytes.",
                cure: "Ask for less: `--tail` and `--from-line` narrow a log.")
        } catch {
            throw unreachable(error)
        }
    }

    package func unreachable(_ error: any Error) -> ClientFailure {
        let text = "\(error)"
        if text.contains("WRONG_VERSION_NUMBER") {
            return ClientFailure(
                .unreachable, "What answers at \(endpoint.url) does not speak TLS.",
                cure: "Is it http:// there? AnsFlow's own port for people is plain HTTP behind loopback or a proxy.")
        }
        if text.contains("remoteConnectionClosed") {
            return ClientFailure(
                .unreachable, "What answers at \(endpoint.url) closed the connection without an answer.",
                cure: "Is that the port for people, not the one for agents, and is it http:// there, not https://?")
        }
        return ClientFailure(
            .unreachable, "No controller answers at \(endpoint.url) (\(Self.shortText(of: error))).",
            cure: "Start one with `ansflow up`, or name another one with --url or ANSFLOW_URL.")
    }

    // MARK: Identity

    /// What goes behind `Bearer`.
    package var currentToken: String? { endpoint.token ?? kept?.accessToken }

    /// The token for a WebSocket, refreshed where it has ended or is about to.
    package func freshToken() async throws -> String? {
        if endpoint.token == nil, let expiresAt = kept?.expiresAt, expiresAt < Date.now.addingTimeInterval(20) {
            try await refresh()
        }
        return currentToken
    }

    package func login(username: String, password: String) async throws {
        let body = JSONValue.object(["username": .string(username), "password": .string(password)])
        let (status, answer) = try await exchange("POST", "/api/v1/auth/login", [], body)
        guard status == 200 || status == 201 else {
            var failure = Problem.failure(
                status: status, body: answer.body, url: endpoint.url, thing: "The login route")
            if status == 401 {
                failure.message = "The user name or the password is wrong."
                failure.cure = "The first start of the controller printed the password of `admin`."
            }
            throw failure
        }
        let tokens = try answer.decode(Tokens.self)
        let credential = Self.credential(tokens, username: username, old: nil)
        kept = credential
        try await store.locked {
            var all = try store.load()
            all.current = endpoint.url
            all.servers[endpoint.url] = credential
            try store.save(all)
        }
    }

    /// Ends the login at the controller and forgets it here. Returns whether there was one.
    package func logout() async throws -> Bool {
        guard let credential = kept else { return false }
        var body: [String: JSONValue] = [:]
        if let token = credential.refreshToken { body["refresh_token"] = .string(token) }
        // A controller that is away must not keep anyone from forgetting the login.
        _ = try? await exchange(
            "POST", "/api/v1/auth/logout", [], .object(body), [("Authorization", "Bearer \(credential.accessToken)")])
        kept = nil
        try await store.locked {
            var all = try store.load()
            all.servers[endpoint.url] = nil
            if all.current == endpoint.url { all.current = nil }
            try store.save(all)
        }
        return true
    }

    /// - Parameter stale: the token that was just refused: if another client has already replaced it, its result is taken.
    private func refresh(insteadOf stale: String? = nil) async throws {
        try await store.locked {
            var all = try store.load()
            guard let current = all.servers[endpoint.url] else {
                kept = nil
                return
            }
            if current.accessToken != kept?.accessToken, current.accessToken != stale {
                kept = current
                return
            }
            guard let token = current.refreshToken else { return }
            let (status, answer) = try await exchange(
                "POST", "/api/v1/auth/refresh", [], .object(["refresh_token": .string(token)]))
            guard status == 200 || status == 201 else {
                if status == 401 || status == 403 {
                    throw ClientFailure(
                        .notAllowed, "The login at \(endpoint.url) has ended.",
                        cure: "Log in again with `ansflow login --url \(endpoint.url)`.")
                }
                throw Problem.failure(status: status, body: answer.body, url: endpoint.url, thing: "The login")
            }
            let credential = Self.credential(
                try answer.decode(Tokens.self), username: current.username, old: current)
            kept = credential
            all.servers[endpoint.url] = credential
            try store.save(all)
        }
    }

    private static func credential(_ tokens: Tokens, username: String, old: Credential?) -> Credential {
        Credential(
            accessToken: tokens.accessToken, refreshToken: tokens.refreshToken ?? old?.refreshToken, username: username,
            expiresAt: tokens.expiresIn.map { Date.now.addingTimeInterval(Double($0)) })
    }

    // MARK: Texts

    package static func queryText(_ query: [(String, String)]) -> String {
        guard !query.isEmpty else { return "" }
        return "?" + query.map { "\($0.0)=\(escaped($0.1))" }.joined(separator: "&")
    }

    /// Percent-encoded, all but RFC 3986's unreserved characters.
    package static func escaped(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let hex = String(byte, radix: 16, uppercase: true)
                result += hex.count == 1 ? "%0\(hex)" : "%\(hex)"
            }
        }
        return result
    }

    private static func shortText(of error: any Error) -> String {
        let text = "\(error)".split(separator: "\n").first.map(String.init) ?? "\(error)"
        if text.contains("ECONNREFUSED") || text.contains("Connection refused") || text.contains("errno: 111") {
            return "connection refused"
        }
        if text.lowercased().contains("timeout") { return "no answer in time" }
        return String(text.prefix(160))
    }
}
