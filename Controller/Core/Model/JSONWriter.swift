/// Writes JSON straight into bytes, with no tree or reflection in between. The caller keeps the order: names, values, ends.
package struct JSONWriter {
    /// What is written so far, UTF-8.
    package private(set) var bytes: [UInt8] = []
    /// Whether the next value or name needs a comma before it.
    private var comma = false

    package init(capacity: Int = 1024) {
        bytes.reserveCapacity(capacity)
    }

    package mutating func object(_ body: (inout JSONWriter) throws -> Void) rethrows {
        open(UInt8(ascii: "{"))
        try body(&self)
        close(UInt8(ascii: "}"))
    }

    @inlinable
    package mutating func array<Items: Sequence>(
        _ items: Items, _ body: (inout JSONWriter, Items.Element) throws -> Void
    ) rethrows {
        open(UInt8(ascii: "["))
        for item in items { try body(&self, item) }
        close(UInt8(ascii: "]"))
    }

    package mutating func name(_ name: StaticString) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        name.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
        comma = false
    }

    /// A name that is data.
    package mutating func key(_ name: String) {
        string(name)
        bytes.append(UInt8(ascii: ":"))
        comma = false
    }

    package mutating func null() { word("null") }

    package mutating func bool(_ value: Bool) { word(value ? "true" : "false") }

    @inlinable
    package mutating func int(_ value: some BinaryInteger) {
        int(negative: value < 0, magnitude: UInt64(value.magnitude))
    }

    @usableFromInline
    package mutating func int(negative: Bool, magnitude: UInt64) {
        separate()
        if negative { bytes.append(UInt8(ascii: "-")) }
        var rest = magnitude
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var index = 20
            repeat {
                index -= 1
                digits[index] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            } while rest > 0
            bytes.append(contentsOf: digits[index...])
        }
        comma = true
    }

    /// Infinite and undefined numbers, which JSON has not, become null.
    package mutating func double(_ value: Double) {
        guard value.isFinite else { return null() }
        separate()
        bytes.append(contentsOf: "\(value)".utf8)
        comma = true
    }

    package mutating func string(_ value: String) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        escape(value)
        bytes.append(UInt8(ascii: "\""))
        comma = true
    }

    /// RFC 3339 in UTC with milliseconds.
    package mutating func time(_ milliseconds: Int64) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        Timestamp.write(milliseconds, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
        comma = true
    }

    /// Bytes that are JSON already.
    @inlinable
    package mutating func raw(_ json: some Collection<UInt8>) {
        if json.withContiguousStorageIfAvailable({ raw($0) }) == nil { raw(Array(json)) }
    }

    @usableFromInline
    package mutating func raw(_ json: UnsafeBufferPointer<UInt8>) {
        separate()
        bytes.append(contentsOf: json)
        comma = true
    }

    private mutating func word(_ text: StaticString) {
        separate()
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
        comma = true
    }

    private mutating func separate() {
        if comma { bytes.append(UInt8(ascii: ",")) }
    }

    @usableFromInline
    package mutating func open(_ byte: UInt8) {
        separate()
        bytes.append(byte)
        comma = false
    }

    @usableFromInline
    package mutating func close(_ byte: UInt8) {
        bytes.append(byte)
        comma = true
    }

    private static let hex = Array("0123456789abcdef".utf8)

    /// Escapes quotes, backslashes and control characters; everything else is UTF-8 as it is.
    private mutating func escape(_ text: String) {
        var text = text
        text.withUTF8 { utf8 in
            var start = 0
            for (index, byte) in utf8.enumerated() where byte < 0x20 || byte == 0x22 || byte == 0x5C {
                bytes.append(contentsOf: utf8[start..<index])
                start = index + 1
                bytes.append(UInt8(ascii: "\\"))
                switch byte {
                case 0x22, 0x5C: bytes.append(byte)
                case 0x0A: bytes.append(UInt8(ascii: "n"))
                case 0x0D: bytes.append(UInt8(ascii: "r"))
                case 0x09: bytes.append(UInt8(ascii: "t"))
                default:
                    bytes.append(contentsOf: "u00".utf8)
                    bytes.append(Self.hex[Int(byte >> 4)])
                    bytes.append(Self.hex[Int(byte & 15)])
                }
            }
            bytes.append(contentsOf: utf8[start...])
        }
    }
}
