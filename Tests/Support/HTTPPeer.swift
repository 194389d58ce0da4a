import Foundation

/// A small HTTP server on loopback that plays somebody else's: it answers what its handler says and keeps what it was asked.
///
/// Each connection has a thread and takes one request.
package final class HTTPPeer: @unchecked Sendable {
    package struct Request: Sendable {
        package var method: String
        /// With the query, as it came.
        package var target: String
        /// By name in lower case.
        package var headers: [String: String]
        package var body: [UInt8]

        package var json: JSON { (try? JSON(parsing: body)) ?? .null }
        package var text: String { String(decoding: body, as: UTF8.self) }
    }

    package struct Reply: Sendable {
        package var status: Int
        package var headers: [(String, String)]
        package var body: [UInt8]
        /// Instead of an answer the connection is closed.
        package var isCut = false
        /// Seconds before it answers.
        package var delay = 0.0

        package init(_ status: Int, _ headers: [(String, String)] = [], _ body: String = "") {
            self.status = status
            self.headers = headers
            self.body = Array(body.utf8)
        }

        package static func json(_ status: Int, _ value: JSON, _ headers: [(String, String)] = []) -> Reply {
            var reply = Reply(status, headers + [("Content-Type", "application/json")])
            reply.body = value.bytes
            return reply
        }

        package static var cut: Reply {
            var reply = Reply(0)
            reply.isCut = true
            return reply
        }
    }

    package typealias Handler = @Sendable (Request) -> Reply

    package let port: Int
    private let listener: Int32
    private let handler: Handler
    private let lock = NSLock()
    private var seen: [Request] = []
    private var connections = 0

    package init(_ handler: @escaping Handler) throws {
        self.handler = handler
        port = try Sockets.freePort()
        listener = try Sockets.listen(port: port)
        let thread = Thread { [self] in accept() }
        thread.start()
    }

    package var url: String { "http://127.0.0.1:\(port)" }

    /// What it was asked, in order.
    package var requests: [Request] { lock.withLock { seen } }
    package var connectionCount: Int { lock.withLock { connections } }

    package func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

    private func accept() {
        defer { close(listener) }
        while let client = Sockets.accept(listener) {
            lock.withLock { connections += 1 }
            let thread = Thread { [self] in
                defer { close(client) }
                try? serve(client)
            }
            thread.start()
        }
    }

    private func serve(_ client: Int32) throws {
        guard let request = try Self.read(client) else { return }
        lock.withLock { seen.append(request) }
        let reply = handler(request)
        if reply.delay > 0 { Clock.pause(reply.delay) }
        guard !reply.isCut else { return }
        var head =
            "HTTP/1.1 \(reply.status) Some Reason\r\nContent-Length: \(reply.body.count)\r\nConnection: close\r\n"
        for (name, value) in reply.headers { head += "\(name): \(value)\r\n" }
        try Sockets.write(client, Array((head + "\r\n").utf8) + reply.body)
        shutdown(client, Int32(SHUT_WR))
        // Until the other side has read all.
        _ = try? Sockets.read(client)
    }

    private static func read(_ client: Int32) throws -> Request? {
        var bytes: [UInt8] = []
        var end: Int?
        while end == nil {
            let more = try Sockets.read(client)
            guard !more.isEmpty, bytes.count < 1 << 20 else { return nil }
            bytes += more
            end = (0..<max(0, bytes.count - 3)).first { bytes[$0..<$0 + 4].elementsEqual([13, 10, 13, 10]) }
        }
        let lines = String(decoding: bytes[..<(end ?? 0)], as: UTF8.self).components(separatedBy: "\r\n")
        let first = lines[0].split(separator: " ")
        guard first.count == 3 else { return nil }
        var request = Request(method: String(first[0]), target: String(first[1]), headers: [:], body: [])
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            request.headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
        }
        request.body = Array(bytes[((end ?? 0) + 4)...])
        let length = request.headers["content-length"].flatMap { Int($0) } ?? 0
        while request.body.count < length {
            let more = try Sockets.read(client)
            guard !more.isEmpty else { return nil }
            request.body += more
        }
        return request
    }
}
