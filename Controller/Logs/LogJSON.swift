import ControllerCore
package import NIOCore

/// Lines as JSON, written straight into a buffer.
package enum LogJSON {
    /// See ``LogBatch/json``.
    package static func array(_ lines: [LogLine]) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(lines.reduce(16) { $0 + $1.text.count + 40 })
        buffer.writeInteger(UInt8(ascii: "["))
        for (index, line) in lines.enumerated() {
            if index > 0 { buffer.writeInteger(UInt8(ascii: ",")) }
            append(line, to: &buffer)
        }
        buffer.writeInteger(UInt8(ascii: "]"))
        return buffer
    }

    package static func append(_ line: LogLine, to buffer: inout ByteBuffer) {
        buffer.writeStaticString("{\"n\":")
        buffer.writeString(String(line.number))
        buffer.writeStaticString(",\"t_ms\":")
        buffer.writeString(String(line.timeMs))
        buffer.writeStaticString(",\"text\":\"")
        appendText(line.text, to: &buffer)
        buffer.writeStaticString("\"")
        if line.isPartial { buffer.writeStaticString(",\"partial\":true") }
        if line.isCut { buffer.writeStaticString(",\"cut\":true") }
        switch line.kind {
        case .text: break
        case .missing: buffer.writeStaticString(",\"hole\":\"missing\"")
        case .damaged: buffer.writeStaticString(",\"hole\":\"damaged\"")
        }
        buffer.writeStaticString("}")
    }

    /// The inside of a JSON string: escaped, invalid UTF-8 replaced by U+FFFD.
    private static func appendText(_ bytes: ArraySlice<UInt8>, to buffer: inout ByteBuffer) {
        var text = String(decoding: bytes, as: UTF8.self)
        text.withUTF8 { utf8 in
            var copied = 0
            for index in utf8.indices where needsEscape(utf8[index]) {
                buffer.writeBytes(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(utf8)[copied..<index]))
                appendEscape(utf8[index], to: &buffer)
                copied = index + 1
            }
            buffer.writeBytes(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(utf8)[copied...]))
        }
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private static func appendEscape(_ byte: UInt8, to buffer: inout ByteBuffer) {
        switch byte {
        case UInt8(ascii: "\""): buffer.writeStaticString("\\\"")
        case UInt8(ascii: "\\"): buffer.writeStaticString("\\\\")
        case UInt8(ascii: "\t"): buffer.writeStaticString("\\t")
        case UInt8(ascii: "\r"): buffer.writeStaticString("\\r")
        case UInt8(ascii: "\n"): buffer.writeStaticString("\\n")
        default:
            let digits = Array("0123456789abcdef".utf8)
            buffer.writeStaticString("\\u00")
            buffer.writeBytes([digits[Int(byte >> 4)], digits[Int(byte & 15)]])
        }
    }
}
