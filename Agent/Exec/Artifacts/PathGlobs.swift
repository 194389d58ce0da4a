/// An ordered list of globs over paths below a folder.
///
/// `*` and `?` stand for characters within a part of the path, a part `**` for any parts, also none. A pattern that names a folder means
/// all that is in it. A leading `!` takes out what was let in before.
struct PathGlobs: Sendable {
    private struct Pattern: Sendable {
        var excludes: Bool
        var parts: [[UInt8]]
    }

    private static let star = UInt8(ascii: "*")
    private static let any: [UInt8] = [star, star]

    private let patterns: [Pattern]

    init(_ texts: [String]) {
        patterns = texts.map { text in
            let excludes = text.hasPrefix("!")
            var bare = text.dropFirst(excludes ? 1 : 0)
            while bare.hasPrefix("./") { bare = bare.dropFirst(2) }
            let parts = bare.utf8.split(separator: UInt8(ascii: "/")).map { Array($0) }.filter { $0 != [46] }
            return Pattern(excludes: excludes, parts: parts)
        }
    }

    /// Whether the last pattern that speaks of the path lets it in.
    func matches(_ path: String) -> Bool {
        let parts = path.utf8.split(separator: UInt8(ascii: "/")).map { Array($0) }
        return patterns.last { Self.matches(parts[...], $0.parts[...], whole: true) }.map { !$0.excludes } ?? false
    }

    /// Whether anything below this folder could match, so that it need not be read otherwise.
    func mayMatch(below folder: String) -> Bool {
        let parts = folder.utf8.split(separator: UInt8(ascii: "/")).map { Array($0) }
        return patterns.contains { !$0.excludes && Self.matches(parts[...], $0.parts[...], whole: false) }
    }

    /// Whether a pattern names a part of this name itself, not by `*`.
    func names(_ part: String) -> Bool {
        patterns.contains { !$0.excludes && $0.parts.contains(Array(part.utf8)) }
    }

    /// - Parameter whole: Whether the pattern must end at or above the path's end; otherwise it may go on below it.
    private static func matches(_ path: ArraySlice<[UInt8]>, _ pattern: ArraySlice<[UInt8]>, whole: Bool) -> Bool {
        // The places of the pattern that are reached, as in ``part(_:_:)``: the cost is the product of both lengths.
        let tokens = Array(pattern)
        var reached = closure(Set([0]), tokens)
        for part in path {
            // A pattern that has ended names this folder: all below it is meant.
            if reached.contains(tokens.count), !tokens.isEmpty { return true }
            var next: Set<Int> = []
            for place in reached where place < tokens.count {
                if tokens[place] == any {
                    next.insert(place)
                } else if Self.part(part, tokens[place]) {
                    next.insert(place + 1)
                }
            }
            reached = closure(next, tokens)
            if reached.isEmpty { return false }
        }
        return whole ? reached.contains(tokens.count) && !tokens.isEmpty : true
    }

    /// Adds what is reached when `**` stands for nothing.
    private static func closure(_ places: Set<Int>, _ tokens: [[UInt8]]) -> Set<Int> {
        var all = places
        // Ascending, so that one pass follows a row of them.
        for place in tokens.indices where tokens[place] == any && all.contains(place) { all.insert(place + 1) }
        return all
    }

    private static func part(_ text: [UInt8], _ pattern: [UInt8]) -> Bool {
        var (at, place) = (0, 0)
        var retry: (text: Int, pattern: Int)?
        while at < text.count {
            if place < pattern.count, pattern[place] == star {
                retry = (at, place)
                place += 1
            } else if place < pattern.count, pattern[place] == UInt8(ascii: "?") {
                at += 1
                // One character, however many bytes it has.
                while at < text.count, text[at] & 0xC0 == 0x80 { at += 1 }
                place += 1
            } else if place < pattern.count, pattern[place] == text[at] {
                at += 1
                place += 1
            } else if let last = retry {
                at = last.text + 1
                place = last.pattern + 1
                retry = (at, last.pattern)
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == star }
    }
}
