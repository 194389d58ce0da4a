/// JSON with line breaks, for reading; other text as it is.
enum PrettyJSON {
    static func text(_ json: String) -> String {
        guard let first = json.utf8.first, first == UInt8(ascii: "{") || first == UInt8(ascii: "["),
            (try? JSONParser.parse(Array(json.utf8))) != nil
        else { return json }
        var result = ""
        var depth = 0
        var isInText = false
        var isEscaped = false
        func line() -> String { "\n" + String(repeating: "  ", count: depth) }
        var previous: Character = " "
        for character in json {
            if isInText {
                result.append(character)
                if isEscaped {
                    isEscaped = false
                } else if character == "\\" {
                    isEscaped = true
                } else if character == "\"" {
                    isInText = false
                }
                previous = character
                continue
            }
            switch character {
            case "\"":
                if previous == "{" || previous == "[" { result += line() }
                isInText = true
                result.append(character)
            case "{", "[":
                if previous == "{" || previous == "[" { result += line() }
                depth += 1
                result.append(character)
            case "}", "]":
                depth -= 1
                if previous != "{", previous != "[" { result += line() }
                result.append(character)
            case ",": result += "," + line()
            case ":": result += ": "
            case " ", "\n": continue
            default:
                if previous == "{" || previous == "[" { result += line() }
                result.append(character)
            }
            previous = character
        }
        return result
    }
}
