/// What a line of output says about sections.
enum SectionMarker: Equatable {
    /// `##[group]Title`, `::group::Title`: inside whatever is open.
    case begin(title: String)
    /// `##[endgroup]`, `::endgroup::`.
    case end
    /// `section_start:1700000000:name[collapsed=true]`, then the title behind a carriage return.
    case beginNamed(name: String, title: String, opens: Bool?)
    /// `section_end:1700000000:name`.
    case endNamed(String)
    /// `--- Title` (closed), `+++ Title` (open), `~~~ Title`: ends all that is open. Differences of files and test programs write
    /// such lines too: those are not taken.
    case flat(title: String, opens: Bool?)

    static let titleMax = 200

    /// - Parameter raw: The line as stored: GitLab's title is behind a carriage return, where the marker is not seen any more.
    init?(_ raw: UnsafeRawBufferPointer) {
        var start = 0
        // Colours and GitLab's `ESC [ 0 K` may stand before it.
        while start + 2 < raw.count, raw[start] == 0x1b, raw[start + 1] == UInt8(ascii: "[") {
            guard let end = raw[(start + 2)...].firstIndex(where: { (0x40...0x7e).contains($0) }) else { return nil }
            start = end + 1
        }
        guard start < raw.count else { return nil }
        let rest = UnsafeRawBufferPointer(rebasing: raw[start...])
        switch rest[0] {
        case UInt8(ascii: "#"), UInt8(ascii: ":"): self.init(grouped: rest)
        case UInt8(ascii: "s"): self.init(named: rest)
        case UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "~"): self.init(flat: rest)
        default: return nil
        }
    }

    private static func text(_ bytes: UnsafeRawBufferPointer) -> String {
        let seen = String(decoding: VisibleText.of(bytes), as: UTF8.self)
        let words = seen.drop { $0 == " " || $0 == "\t" }
        return String(words.prefix(titleMax))
    }

    private static func behind(_ word: StaticString, _ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        let length = word.utf8CodeUnitCount
        guard bytes.count >= length else { return nil }
        for index in 0..<length where bytes[index] != word.utf8Start[index] { return nil }
        return UnsafeRawBufferPointer(rebasing: bytes[length...])
    }

    private init?(grouped bytes: UnsafeRawBufferPointer) {
        if let rest = Self.behind("##[group]", bytes) ?? Self.behind("::group::", bytes) {
            self = .begin(title: Self.text(rest))
        } else if Self.behind("##[endgroup]", bytes) != nil || Self.behind("::endgroup::", bytes) != nil {
            self = .end
        } else {
            return nil
        }
    }

    private init?(named bytes: UnsafeRawBufferPointer) {
        let isStart = Self.behind("section_start:", bytes)
        guard let rest = isStart ?? Self.behind("section_end:", bytes),
            let colon = rest.firstIndex(of: UInt8(ascii: ":")),
            rest[..<colon].allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        let behind = rest[(colon + 1)...]
        let head = behind.prefix { $0 != 0x0d }.prefix(256)
        let text = String(decoding: head, as: UTF8.self)
        let name = String(text.prefix { $0 != "[" })
        guard isStart != nil else {
            self = .endNamed(name)
            return
        }
        let title =
            behind.count > head.count
            ? Self.text(UnsafeRawBufferPointer(rebasing: behind.dropFirst(head.count + 1))) : name
        let opens: Bool? = text.contains("collapsed=true") ? false : nil
        self = .beginNamed(name: name, title: title.isEmpty ? name : title, opens: opens)
    }

    private init?(flat bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 4, bytes[3] == 0x20, bytes[1] == bytes[0], bytes[2] == bytes[0] else { return nil }
        let title = Self.text(UnsafeRawBufferPointer(rebasing: bytes[4...]))
        let isOther = ["FAIL:", "PASS:", "SKIP:", "BENCH:"].contains { title.hasPrefix($0) }
        guard !title.isEmpty, !isOther, !title.hasSuffix("---") else { return nil }
        self = .flat(title: title, opens: bytes[0] == UInt8(ascii: "+") ? true : nil)
    }

    /// `+++ b/file` behind `--- a/file` is a difference of files, and neither is a section.
    var isPlus: Bool {
        if case .flat(_, opens: true) = self { true } else { false }
    }
}
