import ControllerCore

/// A small picture of how a pipeline stands.
enum BadgeSVG {
    enum State: Equatable {
        case noRuns
        case run(Status)

        var word: String {
            switch self {
            case .noRuns: "no runs"
            case .run(.pending): "pending"
            case .run(.blocked): "waiting"
            case .run(.running): "running"
            case .run(.success): "passing"
            case .run(.warning): "passing with warnings"
            case .run(.failed): "failing"
            case .run(.cancelled): "cancelled"
            case .run(.skipped): "skipped"
            }
        }

        /// Dark enough for white letters: contrast 4.5 to 1 and more.
        var colour: String {
            switch self {
            case .noRuns, .run(.cancelled), .run(.skipped): "#5f6670"
            case .run(.pending), .run(.blocked): "#6b5d00"
            case .run(.running): "#0b5fa5"
            case .run(.success): "#1a7f37"
            case .run(.warning): "#8a5300"
            case .run(.failed): "#b3261e"
            }
        }
    }

    private static let labelMax = 40

    static func text(label: String, _ state: State) -> String {
        let shown = label.count > labelMax ? label.prefix(labelMax - 1) + "…" : label[...]
        let label = escaped(String(shown))
        let word = state.word
        let left = shown.count * 7 + 12
        let right = word.count * 7 + 12
        return """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(left + right)" height="20" role="img" \
            aria-label="\(label): \(word)"><title>\(label): \(word)</title>\
            <rect width="\(left)" height="20" fill="#333a41"/>\
            <rect x="\(left)" width="\(right)" height="20" fill="\(state.colour)"/>\
            <g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">\
            <text x="\(left / 2)" y="14" textLength="\(left - 12)">\(label)</text>\
            <text x="\(left + right / 2)" y="14" textLength="\(right - 12)">\(word)</text></g></svg>

            """
    }

    /// For text and attributes of XML; what XML can't hold is left out.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default:
                let value = scalar.value
                if value < 32 || (0x7F...0x9F).contains(value) || (value & 0xFFFE) == 0xFFFE { continue }
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
