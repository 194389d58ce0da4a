import Glibc

/// A viewer: a WebSocket client that reads text messages, as slowly as it likes.
package final class LiveClient {
    private let connection: Int32
    private var buffer: [UInt8] = []
    /// Bytes that were read so far.
    package private(set) var bytesRead = 0
    /// Whether the server has closed.
    package private(set) var isClosed = false
    package private(set) var closeCode: Int?

    /// - Parameter receiveBuffer: Bytes that the kernel keeps unread; 0 for its default.
    package init(port: Int, path: String, token: String?, receiveBuffer: Int32 = 0) throws {
        connection = try Sockets.connect(port: port, receiveBuffer: receiveBuffer)
        var head = [
            "GET \(path) HTTP/1.1", "Host: 127.0.0.1:\(port)", "Connection: Upgrade", "Upgrade: websocket",
            "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==",
        ]
        if let token { head.append("Authorization: Bearer \(token)") }
        try Sockets.write(connection, Array((head.joined(separator: "\r\n") + "\r\n\r\n").utf8))
        while Self.headEnd(buffer) == nil {
            let bytes = try Sockets.read(connection, max: 1024)
            guard !bytes.isEmpty else { throw TestFailure("The controller closed a WebSocket before it was open.") }
            buffer += bytes
        }
        let end = Self.headEnd(buffer) ?? 0
        let answer = String(decoding: buffer[..<end], as: UTF8.self)
        guard answer.hasPrefix("HTTP/1.1 101") else { throw TestFailure("No WebSocket: \(answer)") }
        buffer.removeFirst(end)
    }

    deinit { Glibc.close(connection) }

    private static func headEnd(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 4 else { return nil }
        return (3..<bytes.count).first { bytes[$0 - 3...$0].elementsEqual([13, 10, 13, 10]) }.map { $0 + 1 }
    }

    /// Reads at most `max` bytes, if any come within `milliseconds`.
    package func readSome(max: Int, within milliseconds: Int32) throws {
        var interest = pollfd(fd: connection, events: Int16(POLLIN), revents: 0)
        guard !isClosed, poll(&interest, 1, milliseconds) > 0 else { return }
        guard let bytes = try? Sockets.read(connection, max: max), !bytes.isEmpty else {
            isClosed = true
            return
        }
        bytesRead += bytes.count
        buffer += bytes
    }

    /// Sends a text message of at most 125 bytes.
    package func say(_ message: JSON) throws {
        let payload = message.bytes
        guard payload.count < 126 else { throw TestFailure("The message is too long for a small frame.") }
        try Sockets.write(connection, [0x81, 0x80 | UInt8(payload.count), 0, 0, 0, 0] + payload)
    }

    /// Throws away what was read and not yet taken, for a viewer that does not care.
    package func forget() { buffer.removeAll(keepingCapacity: true) }

    /// The next message that has arrived whole; pings are answered.
    package func next() throws -> JSON? {
        while let (opcode, payload) = takeFrame() {
            switch opcode {
            case 1: return try JSON(parsing: payload)
            case 8:
                isClosed = true
                if payload.count >= 2 { closeCode = Int(payload[0]) << 8 | Int(payload[1]) }
            case 9: try Sockets.write(connection, [0x8A, 0x80 | UInt8(payload.count), 0, 0, 0, 0] + payload)
            default: break
            }
        }
        return nil
    }

    /// Reads until `stop` says so of a message. Gives all messages, that one included.
    package func messages(within seconds: Double, until stop: (JSON) -> Bool) throws -> [JSON] {
        var all: [JSON] = []
        let end = Clock.seconds + seconds
        while Clock.seconds < end {
            while let message = try next() {
                all.append(message)
                if stop(message) { return all }
            }
            if isClosed { break }
            try readSome(max: 256 * 1024, within: 100)
        }
        throw TestFailure("The awaited message did not come; the last of \(all.count): \(all.last ?? .null)")
    }

    private func takeFrame() -> (UInt8, [UInt8])? {
        guard buffer.count >= 2 else { return nil }
        var length = Int(buffer[1] & 0x7F)
        var head = 2
        if length == 126 {
            guard buffer.count >= 4 else { return nil }
            length = Int(buffer[2]) << 8 | Int(buffer[3])
            head = 4
        } else if length == 127 {
            guard buffer.count >= 10 else { return nil }
            length = buffer[2..<10].reduce(0) { $0 << 8 | Int($1) }
            head = 10
        }
        guard buffer.count >= head + length else { return nil }
        let opcode = buffer[0] & 0x0F
        let payload = Array(buffer[head..<head + length])
        buffer.removeFirst(head + length)
        return (opcode, payload)
    }
}
