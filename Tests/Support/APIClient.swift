import Glibc

/// A small blocking HTTP/1.1 client for one controller; one request at a time on one connection.
package final class APIClient: @unchecked Sendable {
    package struct Response: Sendable {
        package var status: Int
        /// Names in lower case.
        package var headers: [String: String]
        package var body: [UInt8]

        package var text: String { String(decoding: body, as: UTF8.self) }
        package func json() throws -> JSON { try JSON(parsing: body) }
    }

    package let port: Int
    package var token: String?
    private var connection: Int32 = -1
    private var buffer: [UInt8] = []

    package init(port: Int, token: String? = nil) {
        self.port = port
        self.token = token
    }

    deinit { disconnect() }

    package func disconnect() {
        if connection >= 0 { close(connection) }
        connection = -1
        buffer = []
    }

    /// Another client with the same token, for another thread.
    package func another() -> APIClient { APIClient(port: port, token: token) }

    /// Sends a request and reads the answer.
    ///
    /// - Parameter sink: A descriptor that takes the body instead of ``Response/body``.
    package func request(
        _ method: String, _ path: String, headers: [String: String] = [:], body: [UInt8]? = nil, sink: Int32? = nil
    ) throws -> Response {
        let reused = connection >= 0
        do {
            return try attempt(method, path, headers, body, sink)
        } catch {
            disconnect()
            // A kept connection may have been closed meanwhile.
            guard reused, method == "GET" else { throw error }
            return try attempt(method, path, headers, body, sink)
        }
    }

    private func attempt(
        _ method: String, _ path: String, _ headers: [String: String], _ body: [UInt8]?, _ sink: Int32?
    ) throws -> Response {
        if connection < 0 { connection = try Sockets.connect(port: port) }
        var head = "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n"
        var all = headers
        if let token, all["Authorization"] == nil { all["Authorization"] = "Bearer \(token)" }
        if body != nil, all["Content-Type"] == nil { all["Content-Type"] = "application/json" }
        if let body { all["Content-Length"] = String(body.count) }
        for (name, value) in all { head += "\(name): \(value)\r\n" }
        // A refusal may come before the whole body was taken.
        var sendFailure: (any Error)?
        do { try Sockets.write(connection, Array((head + "\r\n").utf8) + (body ?? [])) } catch { sendFailure = error }
        do {
            let response = try read(method, sink)
            if sendFailure != nil || response.headers["connection"]?.lowercased() == "close" { disconnect() }
            return response
        } catch {
            throw sendFailure ?? error
        }
    }

    // MARK: Answers

    private func fill() throws {
        let bytes = try Sockets.read(connection)
        guard !bytes.isEmpty else { throw TestFailure("The controller closed the connection.") }
        if buffer.isEmpty { buffer = bytes } else { buffer += bytes }
    }

    private func line() throws -> String {
        var searched = 0
        while true {
            if let end = buffer[searched...].firstIndex(of: 10) {
                let line = String(decoding: buffer[..<end].filter { $0 != 13 }, as: UTF8.self)
                buffer.removeFirst(end + 1)
                return line
            }
            searched = buffer.count
            try fill()
        }
    }

    private func read(_ method: String, _ sink: Int32?) throws -> Response {
        let status = try line().split(separator: " ")
        guard status.count > 1, let code = Int(status[1]) else { throw TestFailure("This is not HTTP: \(status).") }
        var response = Response(status: code, headers: [:], body: [])
        while true {
            let text = try line()
            if text.isEmpty { break }
            let parts = text.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            response.headers[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
        }
        guard method != "HEAD", code != 204, code != 304, code >= 200 else { return response }
        if response.headers["transfer-encoding"]?.lowercased() == "chunked" {
            while let size = Int(try line().split(separator: ";")[0], radix: 16), size > 0 {
                try take(size, into: &response, sink)
                _ = try line()
            }
            _ = try line()
        } else if let length = response.headers["content-length"].flatMap({ Int($0) }) {
            try take(length, into: &response, sink)
        }
        return response
    }

    private func take(_ count: Int, into response: inout Response, _ sink: Int32?) throws {
        var left = count
        while left > 0 {
            if buffer.isEmpty { try fill() }
            let part = buffer.count <= left ? buffer : Array(buffer[..<left])
            if part.count == buffer.count { buffer = [] } else { buffer.removeFirst(part.count) }
            left -= part.count
            if let sink {
                guard Glibc.write(sink, part, part.count) == part.count else { throw TestFailure("The sink is full.") }
            } else {
                response.body += part
            }
        }
    }
}

extension APIClient {
    /// A request that must end with a status of 200 to 299.
    @discardableResult
    package func call(
        _ method: String, _ path: String, _ body: JSON? = nil, headers: [String: String] = [:]
    ) throws -> JSON {
        let response = try request(method, path, headers: headers, body: body?.bytes)
        guard (200..<300).contains(response.status) else {
            throw TestFailure("\(method) \(path) answered \(response.status): \(response.text.prefix(2000))")
        }
        return response.body.isEmpty ? .null : try response.json()
    }

    package func get(_ path: String) throws -> JSON { try call("GET", path) }

    /// Logs in and keeps the access token for what follows.
    package func login(_ username: String, _ password: String) throws {
        token = nil
        let answer = try call(
            "POST", "/api/v1/auth/login", ["username": .string(username), "password": .string(password)])
        guard let token = answer["access_token"].text else { throw TestFailure("A login gave no token: \(answer)") }
        self.token = token
    }
}
