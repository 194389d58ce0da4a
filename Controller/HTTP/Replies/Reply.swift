import ControllerCore
package import HTTPTypes
package import Hummingbird
package import NIOCore

/// What a route's handler answers with.
package struct Reply: Sendable {
    package var status: HTTPResponse.Status
    package var contentType: String?
    package var body: ResponseBody
    package var headers = HTTPFields()
    /// The bytes, where the body is one buffer: they give the `ETag`.
    package var buffer: ByteBuffer?
    /// Set where it is known without looking at the bytes.
    package var etag: String?

    package init(_ status: HTTPResponse.Status, _ contentType: String? = nil, _ body: ResponseBody = .init()) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }

    package static let json = "application/json"

    package static func json(_ buffer: ByteBuffer, _ status: HTTPResponse.Status = .ok) -> Reply {
        var reply = Reply(status, json, ResponseBody(byteBuffer: buffer))
        reply.buffer = buffer
        return reply
    }

    static func json(
        _ status: HTTPResponse.Status = .ok, capacity: Int = 1024, _ body: (inout JSONWriter) -> Void
    ) -> Reply {
        var writer = JSONWriter(capacity: capacity)
        body(&writer)
        return json(writer.buffer, status)
    }

    package static func text(_ text: String, _ contentType: String = "text/plain; charset=utf-8") -> Reply {
        Reply(.ok, contentType, ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    package static let noContent = Reply(.noContent)
}

extension JSONWriter {
    /// What is written so far, for a response's body.
    var buffer: ByteBuffer { ByteBuffer(bytes: bytes) }
}

extension Reply {
    package static func created(at location: String, _ buffer: ByteBuffer) -> Reply {
        var reply = json(buffer, .created)
        reply.headers[.location] = location
        return reply
    }
}

/// The tag of a buffer's bytes: FNV-1a of 64 bits, with the length. It tells versions of one resource apart; it is no protection.
enum EntityTag {
    static func of(_ buffer: ByteBuffer) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        buffer.withUnsafeReadableBytes { bytes in
            for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        }
        return "\"\(String(hash, radix: 36))-\(String(buffer.readableBytes, radix: 36))\""
    }

    /// Whether an `If-None-Match` names `tag`; weak comparison, as RFC 9110 asks for.
    static func matches(_ header: String, _ tag: String) -> Bool {
        if header == "*" { return true }
        return header.split(separator: ",").contains { part in
            let text = part.drop { $0 == " " || $0 == "\t" }
            let named = text.hasPrefix("W/") ? text.dropFirst(2) : text
            return named.hasPrefix(tag) && named.dropFirst(tag.count).allSatisfy { $0 == " " || $0 == "\t" }
        }
    }
}
