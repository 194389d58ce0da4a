package import NIOCore

/// Frames to bytes.
package enum FrameWriter {
    /// Most bytes of a head: two, a length of eight and a key of four.
    package static let headSizeMax = 14

    /// A whole frame as bytes.
    ///
    /// - Parameter mask: The key that a client must draw at random for each frame; `nil` for a server.
    package static func encode(_ frame: Frame, mask: UInt32?, allocator: ByteBufferAllocator) -> ByteBuffer {
        var buffer = allocator.buffer(capacity: headSizeMax + frame.payload.count)
        let maskBit: UInt8 = mask == nil ? 0 : 0x80
        buffer.writeInteger((frame.final ? 0x80 : 0) | frame.opcode.rawValue)
        switch frame.payload.count {
        case ...125: buffer.writeInteger(UInt8(frame.payload.count) | maskBit)
        case ...Int(UInt16.max):
            buffer.writeInteger(126 | maskBit)
            buffer.writeInteger(UInt16(frame.payload.count))
        default:
            buffer.writeInteger(127 | maskBit)
            buffer.writeInteger(UInt64(frame.payload.count))
        }
        guard let mask else {
            buffer.writeBytes(frame.payload)
            return buffer
        }
        buffer.writeInteger(mask)
        let headSize = buffer.readableBytes
        buffer.writeBytes(frame.payload)
        buffer.withUnsafeMutableReadableBytes { bytes in
            Masking.apply(mask, to: UnsafeMutableRawBufferPointer(rebasing: bytes[headSize...]))
        }
        return buffer
    }

    /// A close frame's payload. The reason is cut to what fits, at a character.
    package static func closePayload(_ code: UInt16, _ reason: String) -> [UInt8] {
        var payload = [UInt8(code >> 8), UInt8(code & 0xFF)]
        for character in reason where payload.count + String(character).utf8.count <= 125 {
            payload.append(contentsOf: String(character).utf8)
        }
        return payload
    }

    /// A close frame's code and reason; 1005 where it says none.
    package static func readClose(_ payload: [UInt8]) throws(FrameViolation) -> (code: UInt16, reason: String) {
        guard !payload.isEmpty else { return (1005, "") }
        guard payload.count >= 2 else { throw FrameViolation(.malformed, "A close frame has one byte.") }
        let code = UInt16(payload[0]) << 8 | UInt16(payload[1])
        guard (1000...1003).contains(code) || (1007...1014).contains(code) || (3000...4999).contains(code) else {
            throw FrameViolation(.malformed, "A close frame has a code that may not be sent.")
        }
        guard let reason = String(validating: payload[2...], as: UTF8.self) else {
            throw FrameViolation(.malformed, "A close frame's reason is not UTF-8.")
        }
        return (code, reason)
    }
}
