package import NIOCore

/// The bytes of a connection that are not parsed yet, and no others: a buffer that is only read and appended to grows with all that ever
/// came, as long as each read ends within a frame.
package struct FrameInput {
    private let parser: FrameParser
    private var bytes = ByteBuffer()

    /// Bytes of memory that it holds.
    package var capacity: Int { bytes.storageCapacity }

    package init(_ rules: FrameParser.Rules) { parser = FrameParser(rules) }

    package mutating func append(_ incoming: ByteBuffer) {
        guard bytes.readableBytes > 0 else {
            bytes = incoming
            return
        }
        bytes.writeImmutableBuffer(incoming)
    }

    /// The next whole frame.
    ///
    /// - Returns: `nil` where more bytes are needed. There is then room for the frame that has begun, and for nothing else.
    /// - Throws: where the frame that comes is against the rules, before its payload has come.
    package mutating func next() throws(FrameViolation) -> Frame? {
        if let frame = try parser.next(&bytes) { return frame }
        if bytes.readableBytes == 0 {
            bytes = ByteBuffer()
            return nil
        }
        bytes.discardReadBytes()
        if let wanted = parser.wanted(bytes), wanted > bytes.readableBytes {
            bytes.reserveCapacity(minimumWritableBytes: wanted - bytes.readableBytes)
        }
        return nil
    }

    package mutating func clear() { bytes = ByteBuffer() }
}
