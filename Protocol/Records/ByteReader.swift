/// Reads little-endian values from bytes and never past their end.
///
/// Every read returns `nil` when too few bytes are left; nothing traps, whatever the input.
package struct ByteReader {
    private let bytes: UnsafeRawBufferPointer
    /// How many bytes were read.
    package private(set) var position = 0

    /// - Parameter bytes: Must outlive the reader.
    package init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    package var remaining: Int { bytes.count - position }

    package mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) -> Value? {
        let size = MemoryLayout<Value>.size
        guard remaining >= size else { return nil }
        let value = bytes.loadUnaligned(fromByteOffset: position, as: Value.self)
        position += size
        return Value(littleEndian: value)
    }

    /// The next `count` bytes, still in place.
    package mutating func slice(_ count: Int) -> UnsafeRawBufferPointer? {
        guard count >= 0, remaining >= count else { return nil }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
    }

    /// A length (32 bits) and that many bytes, refused above `limit`.
    package mutating func sized(limit: Int) -> UnsafeRawBufferPointer? {
        guard let count = integer(UInt32.self), Int(count) <= limit else { return nil }
        return slice(Int(count))
    }

    /// A text behind its length; `nil` where it is not UTF-8 or longer than `limit` bytes.
    package mutating func text(limit: Int) -> String? {
        guard let raw = sized(limit: limit) else { return nil }
        return String(validating: raw.bindMemory(to: UInt8.self), as: UTF8.self)
    }
}

extension [UInt8] {
    /// Appends a value, least significant byte first.
    package mutating func append(integer value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }

    /// Appends a text behind its length in bytes (32 bits).
    package mutating func append(text: String) {
        append(integer: UInt32(text.utf8.count))
        append(contentsOf: text.utf8)
    }

    /// Appends bytes behind their length (32 bits).
    package mutating func append(sized bytes: [UInt8]) {
        append(integer: UInt32(bytes.count))
        append(contentsOf: bytes)
    }
}
