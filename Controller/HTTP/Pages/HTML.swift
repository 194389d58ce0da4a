/// Writes HTML. Names of tags and attributes are literals of ours; whatever else comes in is escaped, in text and in attributes.
struct HTML {
    private(set) var bytes: [UInt8]

    init(capacity: Int = 64 * 1024) {
        bytes = Array("<!doctype html>\n".utf8)
        bytes.reserveCapacity(capacity)
    }

    mutating func text(_ text: String) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "&"): bytes += "&amp;".utf8
            case UInt8(ascii: "<"): bytes += "&lt;".utf8
            case UInt8(ascii: ">"): bytes += "&gt;".utf8
            case UInt8(ascii: "\""): bytes += "&quot;".utf8
            case UInt8(ascii: "'"): bytes += "&#39;".utf8
            default: bytes.append(byte)
            }
        }
    }

    /// JSON inside a `script` element: no sign of it can end the element or begin a comment.
    mutating func json(_ json: [UInt8]) {
        for byte in json {
            switch byte {
            case UInt8(ascii: "<"): bytes += "\\u003c".utf8
            case UInt8(ascii: ">"): bytes += "\\u003e".utf8
            case UInt8(ascii: "&"): bytes += "\\u0026".utf8
            default: bytes.append(byte)
            }
        }
    }

    mutating func element(
        _ tag: StaticString, _ attributes: KeyValuePairs<StaticString, String> = [:], _ content: (inout HTML) -> Void
    ) {
        open(tag, attributes)
        content(&self)
        bytes += "</".utf8
        raw(tag)
        bytes += ">".utf8
    }

    mutating func element(
        _ tag: StaticString, _ attributes: KeyValuePairs<StaticString, String>, _ text: String
    ) {
        element(tag, attributes) { $0.text(text) }
    }

    mutating func element(_ tag: StaticString, _ text: String) { element(tag, [:], text) }

    /// An element without content or end: `meta`, `link`.
    mutating func open(_ tag: StaticString, _ attributes: KeyValuePairs<StaticString, String> = [:]) {
        bytes += "<".utf8
        raw(tag)
        for attribute in attributes {
            bytes += " ".utf8
            raw(attribute.key)
            bytes += "=\"".utf8
            text(attribute.value)
            bytes += "\"".utf8
        }
        bytes += ">".utf8
    }

    /// Text with `code` between backticks.
    mutating func prose(_ text: String) {
        for (index, part) in text.split(separator: "`", omittingEmptySubsequences: false).enumerated() {
            if index % 2 == 1 { element("code", String(part)) } else { self.text(String(part)) }
        }
    }

    private mutating func raw(_ name: StaticString) {
        name.withUTF8Buffer { bytes += $0 }
    }
}
