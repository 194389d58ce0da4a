/// Patterns with `*`, `**` and `?`.
package enum Glob {
    /// Whether the whole text matches the pattern.
    ///
    /// `*` stands for any characters and `?` for one; neither stands for `/` unless `slashes` is true. `**` stands for any
    /// characters, and `/**/` also for a single `/`. All other characters stand for themselves.
    ///
    /// The set of reachable positions is carried along the text, so the cost is the product of both lengths and no pattern is
    /// slower. A pattern or a text over its limit in ``PlanLimits`` matches nothing.
    package static func matches(_ text: String, pattern: String, slashes: Bool) -> Bool {
        let subject = Array(text.unicodeScalars)
        guard text.utf8.count <= PlanLimits.globSubjectBytesMax, pattern.utf8.count <= PlanLimits.globBytesMax
        else { return false }
        let tokens = parse(pattern)
        var reached = closure([true] + Array(repeating: false, count: tokens.count), tokens)
        for scalar in subject {
            var next = Array(repeating: false, count: tokens.count + 1)
            for (index, token) in tokens.enumerated() where reached[index] {
                switch token {
                case .scalar(let wanted): if scalar == wanted { next[index + 1] = true }
                case .one: if slashes || scalar != "/" { next[index + 1] = true }
                case .some: if slashes || scalar != "/" { next[index] = true }
                case .every: next[index] = true
                case .folders: next[index + 1] = true
                case .insideFolders:
                    next[index] = true
                    if scalar == "/" { next[index + 1] = true }
                }
            }
            reached = closure(next, tokens)
        }
        return reached[tokens.count]
    }

    private enum Token {
        case scalar(Unicode.Scalar), one, some, every
        /// `**/` behind a slash or at the start: nothing, or any folders with their slash.
        case folders
        /// Follows `folders`: some characters were read, and a slash must come before anything else.
        case insideFolders
    }

    private static func parse(_ pattern: String) -> [Token] {
        let scalars = Array(pattern.unicodeScalars)
        var tokens: [Token] = []
        var index = 0
        while index < scalars.count {
            if scalars[index] == "*", index + 1 < scalars.count, scalars[index + 1] == "*" {
                let begins = index == 0 || scalars[index - 1] == "/"
                if begins, index + 2 < scalars.count, scalars[index + 2] == "/" {
                    tokens += [.folders, .insideFolders]
                    index += 3
                } else {
                    tokens.append(.every)
                    index += 2
                }
            } else {
                switch scalars[index] {
                case "*": tokens.append(.some)
                case "?": tokens.append(.one)
                default: tokens.append(.scalar(scalars[index]))
                }
                index += 1
            }
        }
        return tokens
    }

    /// Adds the positions that are reached without a character, behind tokens that may stand for nothing.
    private static func closure(_ reached: [Bool], _ tokens: [Token]) -> [Bool] {
        var reached = reached
        for (index, token) in tokens.enumerated() where reached[index] {
            switch token {
            case .some, .every: reached[index + 1] = true
            case .folders: reached[index + 2] = true
            case .scalar, .one, .insideFolders: break
            }
        }
        return reached
    }
}
