package import NIOCore

/// Writes JSON straight into a `ByteBuffer`, with no tree in between. The caller keeps the order: names, values, ends.
package struct JSONWriter {
    package var buffer: ByteBuffer
    /// Whether the next value or name needs a comma before it.
    private var comma = false

    package init(capacity: Int = 1024) {
        buffer = ByteBufferAllocator().buffer(capacity: capacity)
    }

    package mutating func object(_ body: (inout JSONWriter) throws -> Void) rethrows {
        open(UInt8(ascii: "{"))
        try body(&self)
        close(UInt8(ascii: "}"))
    }

    package mutating func array<Items: Sequence>(
        _ items: Items, _ body: (inout JSONWriter, Items.Element) throws -> Void
    ) rethrows {
        open(UInt8(ascii: "["))
        for item in items { try body(&self, item) }
        close(UInt8(ascii: "]"))
    }

    package mutating func name(_ name: StaticString) {
        separate()
        buffer.writeInteger(UInt8(ascii: "\""))
        buffer.writeStaticString(name)
        buffer.writeStaticString("\":")
        comma = false
    }

    /// A name that is data.
    package mutating func key(_ name: String) {
        string(name)
        buffer.writeInteger(UInt8(ascii: ":"))
        comma = false
    }

    package mutating func null() {
        separate()
        buffer.writeStaticString("null")
        comma = true
    }

    package mutating func bool(_ value: Bool) {
        separate()
        if value { buffer.writeStaticString("true") } else { buffer.writeStaticString("false") }
        comma = true
    }

    package mutating func int(_ value: some BinaryInteger) {
        separate()
        DecimalDigits.write(value, to: &buffer)
        comma = true
    }

    /// Infinite and undefined numbers, which JSON has not, become null.
    package mutating func double(_ value: Double) {
        guard value.isFinite else { return null() }
        separate()
        buffer.writeString("\(value)")
        comma = true
    }

    package mutating func string(_ value: String) {
        separate()
        buffer.writeInteger(UInt8(ascii: "\""))
        JSONEscape.write(value, to: &buffer)
        buffer.writeInteger(UInt8(ascii: "\""))
        comma = true
    }

    /// RFC 3339 in UTC with milliseconds.
    package mutating func time(_ milliseconds: Int64) {
        separate()
        buffer.writeInteger(UInt8(ascii: "\""))
        Timestamp.write(milliseconds, to: &buffer)
        buffer.writeInteger(UInt8(ascii: "\""))
        comma = true
    }

    /// Bytes that are JSON already.
    package mutating func raw(_ json: some Collection<UInt8>) {
        separate()
        buffer.writeBytes(json)
        comma = true
    }

    package mutating func rawBuffer(_ json: ByteBuffer) {
        separate()
        buffer.writeImmutableBuffer(json)
        comma = true
    }

    private mutating func separate() {
        if comma { buffer.writeInteger(UInt8(ascii: ",")) }
    }

    private mutating func open(_ byte: UInt8) {
        separate()
        buffer.writeInteger(byte)
        comma = false
    }

    private mutating func close(_ byte: UInt8) {
        buffer.writeInteger(byte)
        comma = true
    }
}

/// Whole numbers as text without a `String` in between.
enum DecimalDigits {
    static func write(_ value: some BinaryInteger, to buffer: inout ByteBuffer) {
        var magnitude = UInt64(value.magnitude)
        if value < 0 { buffer.writeInteger(UInt8(ascii: "-")) }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var index = 20
            repeat {
                index -= 1
                digits[index] = UInt8(ascii: "0") + UInt8(magnitude % 10)
                magnitude /= 10
            } while magnitude > 0
            buffer.writeBytes(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(digits)[index...]))
        }
    }
}

enum JSONEscape {
    private static let hex = Array("0123456789abcdef".utf8)

    /// Escapes quotes, backslashes and control characters; everything else is UTF-8 as it is.
    static func write(_ text: String, to buffer: inout ByteBuffer) {
        var text = text
        text.withUTF8 { bytes in
            var start = 0
            for (index, byte) in bytes.enumerated() where byte < 0x20 || byte == 0x22 || byte == 0x5C {
                buffer.writeBytes(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[start..<index]))
                start = index + 1
                switch byte {
                case 0x22: buffer.writeStaticString("\\\"")
                case 0x5C: buffer.writeStaticString("\\\\")
                case 0x0A: buffer.writeStaticString("\\n")
                case 0x0D: buffer.writeStaticString("\\r")
                case 0x09: buffer.writeStaticString("\\t")
                default:
                    buffer.writeStaticString("\\u00")
                    buffer.writeInteger(hex[Int(byte >> 4)])
                    buffer.writeInteger(hex[Int(byte & 15)])
                }
            }
            buffer.writeBytes(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[start...]))
        }
    }
}
