package import NIOCore

/// Cuts bytes into frames. It refuses a frame by its head, before its payload has come.
package struct FrameParser: Sendable {
    package struct Rules: Sendable {
        /// A server's peer must mask every frame, a client's peer none.
        package var peerMasks: Bool
        /// Bytes of a frame's payload.
        package var payloadMax: Int
        package var allowsFragments: Bool

        package init(peerMasks: Bool, payloadMax: Int, allowsFragments: Bool = false) {
            self.peerMasks = peerMasks
            self.payloadMax = payloadMax
            self.allowsFragments = allowsFragments
        }
    }

    private struct Head {
        var opcode: Opcode
        var final: Bool
        var length: Int
        var key: UInt32
        /// Bytes of the head itself.
        var size: Int
    }

    private let rules: Rules

    package init(_ rules: Rules) {
        self.rules = rules
    }

    /// Takes the next whole frame from `buffer`.
    ///
    /// - Returns: `nil` where more bytes are needed; the buffer is then untouched.
    package func next(_ buffer: inout ByteBuffer) throws(FrameViolation) -> Frame? {
        guard let head = try head(buffer), buffer.readableBytes - head.size >= head.length else { return nil }
        buffer.moveReaderIndex(forwardBy: head.size)
        // A read of a checked length never fails.
        var payload = buffer.readBytes(length: head.length) ?? []
        payload.withUnsafeMutableBytes { Masking.apply(head.key, to: $0) }
        return Frame(head.opcode, final: head.final, payload: payload)
    }

    /// Bytes that the frame at the front of `buffer` needs in all; for reserving memory. `nil` while its head is cut off.
    package func wanted(_ buffer: ByteBuffer) -> Int? {
        guard let head = try? head(buffer) else { return nil }
        return head.size + head.length
    }

    private func head(_ buffer: ByteBuffer) throws(FrameViolation) -> Head? {
        let start = buffer.readerIndex
        guard let first = buffer.getInteger(at: start, as: UInt8.self) else { return nil }
        guard first & 0x70 == 0 else { throw FrameViolation(.malformed, "A frame has reserved bits set.") }
        guard let opcode = Opcode(rawValue: first & 0x0F) else {
            throw FrameViolation(.malformed, "A frame has an unknown opcode.")
        }
        let final = first & 0x80 != 0
        guard final || !opcode.isControl else { throw FrameViolation(.malformed, "A control frame is fragmented.") }
        guard rules.allowsFragments || (final && opcode != .continuation) else {
            throw FrameViolation(.malformed, "Fragmented messages are not allowed here.")
        }
        guard let second = buffer.getInteger(at: start + 1, as: UInt8.self) else { return nil }
        let masked = second & 0x80 != 0
        guard masked == rules.peerMasks else {
            throw FrameViolation(
                .malformed, masked ? "A frame from the server is masked." : "A frame from the client is not masked.")
        }
        let short = Int(second & 0x7F)
        guard short <= 125 || !opcode.isControl else {
            throw FrameViolation(.malformed, "A control frame has more than 125 bytes.")
        }
        guard let (length, lengthSize) = try length(short, buffer, at: start + 2) else { return nil }
        guard length <= rules.payloadMax else {
            throw FrameViolation(.tooLarge, "A frame is too long; at most \(rules.payloadMax) bytes are allowed.")
        }
        guard masked else { return Head(opcode: opcode, final: final, length: length, key: 0, size: 2 + lengthSize) }
        guard let key = buffer.getInteger(at: start + 2 + lengthSize, as: UInt32.self) else { return nil }
        return Head(opcode: opcode, final: final, length: length, key: key, size: 2 + lengthSize + 4)
    }

    /// The payload's length and the size of the field that says it beyond the second byte.
    private func length(_ short: Int, _ buffer: ByteBuffer, at index: Int) throws(FrameViolation) -> (Int, Int)? {
        switch short {
        case 126:
            guard let long = buffer.getInteger(at: index, as: UInt16.self) else { return nil }
            guard long > 125 else { throw FrameViolation(.malformed, "A length is not in its shortest form.") }
            return (Int(long), 2)
        case 127:
            guard let long = buffer.getInteger(at: index, as: UInt64.self) else { return nil }
            guard long > UInt64(UInt16.max) else {
                throw FrameViolation(.malformed, "A length is not in its shortest form.")
            }
            guard long <= UInt64(Int32.max) else { throw FrameViolation(.tooLarge, "A frame is far too long.") }
            return (Int(long), 8)
        default: return (short, 0)
        }
    }
}
