import CLogText

/// What is seen of a line of terminal output: control sequences (ECMA-48) are left out, and what comes behind a carriage return
/// takes the place of what was before it.
///
/// Controller/Web/src/log/ansi.js does the same to what it shows; Tests/Browser/unit/visible-text.json holds the two together.
struct VisibleText {
    private static let escape: UInt8 = 0x1b

    /// Whether a line is seen as it is stored.
    static func isPlain(_ line: UnsafeRawBufferPointer) -> Bool {
        ansflow_first_control(line.baseAddress, line.count) == line.count
    }

    /// - Parameter onLook: Called with the parameters of each colour sequence (SGR), and with `c` where the terminal is reset.
    static func of(_ line: UnsafeRawBufferPointer, onLook: (UnsafeRawBufferPointer) -> Void = { _ in }) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(line.count)
        var returned = false
        var at = 0
        while at < line.count {
            let next = ansflow_first_control(line.baseAddress! + at, line.count - at)
            if next > 0 {
                if returned { text.removeAll(keepingCapacity: true) }
                returned = false
                text.append(contentsOf: UnsafeRawBufferPointer(rebasing: line[at..<at + next]))
                at += next
                continue
            }
            switch line[at] {
            case escape: at = behindEscape(line, at, onLook)
            case 0x0d:
                returned = true
                at += 1
            // The second byte of U+0080 to U+009F.
            case 0xc2: at += 2
            default: at += 1
            }
        }
        return text
    }

    private static func byte(_ line: UnsafeRawBufferPointer, _ at: Int) -> UInt8 { at < line.count ? line[at] : 0 }

    private static func behindEscape(
        _ line: UnsafeRawBufferPointer, _ start: Int, _ onLook: (UnsafeRawBufferPointer) -> Void
    ) -> Int {
        switch byte(line, start + 1) {
        case UInt8(ascii: "["): return behindControl(line, start + 2, onLook)
        case UInt8(ascii: "]"), UInt8(ascii: "P"), UInt8(ascii: "X"), UInt8(ascii: "^"), UInt8(ascii: "_"):
            return behindString(line, start + 2)
        default:
            var at = start + 1
            while at < line.count, (0x20...0x2f).contains(line[at]) { at += 1 }
            guard (0x30...0x7e).contains(byte(line, at)) else { return at }
            if at == start + 1, line[at] == UInt8(ascii: "c") {
                onLook(UnsafeRawBufferPointer(rebasing: line[at..<at + 1]))
            }
            return at + 1
        }
    }

    private static func behindControl(
        _ line: UnsafeRawBufferPointer, _ start: Int, _ onLook: (UnsafeRawBufferPointer) -> Void
    ) -> Int {
        var at = start
        while at < line.count, (0x30...0x3f).contains(line[at]) { at += 1 }
        let middle = at
        while at < line.count, (0x20...0x2f).contains(line[at]) { at += 1 }
        guard (0x40...0x7e).contains(byte(line, at)) else { return at }
        if at == middle, line[at] == UInt8(ascii: "m") {
            onLook(UnsafeRawBufferPointer(rebasing: line[start..<middle]))
        }
        return at + 1
    }

    /// A text of the terminal's, up to BEL or ST. Without its end it would hide the rest of the line, so only its beginning goes.
    private static func behindString(_ line: UnsafeRawBufferPointer, _ start: Int) -> Int {
        var at = start
        while at < line.count {
            switch line[at] {
            case 0x07: return at + 1
            case escape where byte(line, at + 1) == UInt8(ascii: "\\"): return at + 2
            case 0xc2 where byte(line, at + 1) == 0x9c: return at + 2
            default: at += 1
            }
        }
        return min(start, line.count)
    }
}

/// Which colours and styles are in force, as they go on from line to line.
struct LookState: Equatable {
    private var foreground: String?
    private var background: String?
    /// Codes of styles from 1 to 9, and 53.
    private var styles: Set<Int> = []

    var isPlain: Bool { foreground == nil && background == nil && styles.isEmpty }

    /// SGR parameters that bring it about; empty where it is plain.
    var parameters: String {
        (styles.sorted().map(String.init) + [foreground, background].compactMap { $0 }).joined(separator: ";")
    }

    mutating func apply(_ bytes: UnsafeRawBufferPointer) {
        if bytes.count == 1, bytes[0] == UInt8(ascii: "c") {
            self = LookState()
            return
        }
        guard bytes.count <= 256, !bytes.contains(where: { (0x3c...0x3f).contains($0) }) else { return }
        let parts = String(decoding: bytes, as: UTF8.self).split(separator: ";", omittingEmptySubsequences: false)
        var index = 0
        while index < parts.count {
            index += apply(parts, index)
        }
    }

    /// - Returns: How many parameters were taken.
    private mutating func apply(_ parts: [Substring], _ index: Int) -> Int {
        let code = parts[index].split(separator: ":").first.flatMap { Int($0) } ?? 0
        let hasColons = parts[index].contains(":")
        guard [38, 48, 58].contains(code) else {
            if code == 4, parts[index].hasPrefix("4:0") { styles.remove(4) } else { single(code) }
            return 1
        }
        var taken = 1
        if !hasColons {
            let kind = index + 1 < parts.count ? parts[index + 1] : ""
            taken = kind == "5" ? 3 : kind == "2" ? 5 : parts.count - index
        }
        let end = min(parts.count, index + taken)
        let color = parts[index..<end].joined(separator: ";")
        let isWhole = hasColons || (taken != parts.count - index || [3, 5].contains(taken)) && end - index == taken
        guard isWhole, color.utf8.count <= 24 else { return taken }
        if code == 38 { foreground = color }
        if code == 48 { background = color }
        return taken
    }

    private mutating func single(_ code: Int) {
        switch code {
        case 0: self = LookState()
        case 1...5, 7...9, 53: styles.insert(code)
        case 21: styles.insert(4)
        case 22: styles.subtract([1, 2])
        case 23...25, 27...29: styles.remove(code - 20)
        case 55: styles.remove(53)
        case 30...37, 90...97: foreground = String(code)
        case 39: foreground = nil
        case 40...47, 100...107: background = String(code)
        case 49: background = nil
        default: break
        }
    }
}
