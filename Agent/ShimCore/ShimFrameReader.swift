import AnsFlowRecords

/// Cuts the stream of a shim's socket into messages. Holds at most one message and what was fed last.
package struct ShimFrameReader: Sendable {
    private var buffer: [UInt8] = []
    private var position = 0

    package init() {}

    package mutating func feed(_ bytes: some Sequence<UInt8>) {
        if position > 0 {
            buffer.removeSubrange(0..<position)
            position = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// The next whole message, kind and body; `nil` until more is fed.
    ///
    /// - Throws: Where a length is not allowed. The connection is of no use then.
    package mutating func next() throws(ShimCodecError) -> [UInt8]? {
        let available = buffer.count - position
        guard available >= 4 else { return nil }
        let count = buffer.withUnsafeBytes {
            Int(UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: position, as: UInt32.self)))
        }
        guard (1...ShimLimits.messageBytesMax).contains(count) else {
            throw ShimCodecError("A message of \(count) bytes is not allowed.")
        }
        guard available >= 4 + count else { return nil }
        defer { position += 4 + count }
        return Array(buffer[position + 4..<position + 4 + count])
    }
}
