/// Names by pattern, as `[main, "release/**", "!release/old"]`.
///
/// A pattern that begins with `!` takes out again what those before it let in; of all patterns that match, the last
/// decides. A list whose first pattern begins with `!` starts with everything.
package struct GlobList: Codable, Equatable, Sendable, ExpressibleByArrayLiteral {
    package var patterns: [String]

    package init(_ patterns: [String]) {
        self.patterns = patterns
    }

    package init(arrayLiteral elements: String...) {
        patterns = elements
    }

    package init(from decoder: any Decoder) throws {
        patterns = try decoder.singleValueContainer().decode([String].self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(patterns)
    }

    package var isEmpty: Bool { patterns.isEmpty }

    /// Whether the name is let in. An empty list lets nothing in: where it means "all", the caller asks ``isEmpty`` first.
    package func matches(_ name: String) -> Bool {
        var isIn = patterns.first?.hasPrefix("!") ?? false
        for pattern in patterns {
            let takesOut = pattern.hasPrefix("!")
            guard takesOut == isIn else { continue }
            if Glob.matches(name, pattern: takesOut ? String(pattern.dropFirst()) : pattern, slashes: false) {
                isIn = !takesOut
            }
        }
        return isIn
    }
}

/// `paths: {include, exclude}`: which changed files matter.
package struct PathFilter: Codable, Equatable, Sendable {
    /// Empty means every file.
    package var include: GlobList
    package var exclude: GlobList

    package init(include: GlobList = [], exclude: GlobList = []) {
        self.include = include
        self.exclude = exclude
    }

    /// Whether it rules anything out, so that the changed paths must be known.
    package var isEmpty: Bool { include.isEmpty && exclude.isEmpty }

    package func matches(_ path: String) -> Bool {
        (include.isEmpty || include.matches(path)) && !(!exclude.isEmpty && exclude.matches(path))
    }
}
