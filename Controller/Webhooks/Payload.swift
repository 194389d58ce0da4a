package import ControllerCore

/// A body as `payload` in expressions sees it.
package enum Payload {
    /// Texts beyond this are cut where a whole body is too large.
    private static let textMax = 1_024
    private static let elementsMax = 20

    /// The JSON of a body: itself, or the field `payload` of a form.
    package static func json(_ body: [UInt8], contentType: String) throws(JSONReader.Malformed) -> PlanJSON {
        guard contentType.lowercased().hasPrefix("application/x-www-form-urlencoded") else {
            return try JSONReader.read(body)
        }
        for pair in body.split(separator: UInt8(ascii: "&")) {
            let sides = pair.split(separator: UInt8(ascii: "="), maxSplits: 1)
            if sides.count == 2, Array(sides[0]) == Array("payload".utf8) {
                return try JSONReader.read(decoded(sides[1]))
            }
        }
        throw JSONReader.Malformed(message: "The form has no field `payload`. Choose JSON as the hook's content type.")
    }

    private static func decoded(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var index = text.startIndex
        while index < text.endIndex {
            let byte = text[index]
            index += 1
            if byte == UInt8(ascii: "%"), index + 1 < text.endIndex, let code = Hex.number(text[index...index + 1]) {
                bytes.append(UInt8(code))
                index += 2
            } else {
                bytes.append(byte == UInt8(ascii: "+") ? 0x20 : byte)
            }
        }
        return bytes
    }

    /// Cut to what a plan may hold: first long texts and lists, then everything from the deepest level up.
    package static func trimmed(_ payload: PlanJSON) -> PlanJSON {
        var depth = PlanLimits.payloadDepthMax
        var cut = shallow(payload, depth)
        guard size(cut) > PlanLimits.payloadBytesMax else { return cut }
        cut = short(cut)
        while size(cut) > PlanLimits.payloadBytesMax, depth > 1 {
            depth = min(depth, 12) - 1
            cut = shallow(cut, depth)
        }
        return size(cut) > PlanLimits.payloadBytesMax ? .object([:]) : cut
    }

    private static func shallow(_ value: PlanJSON, _ depth: Int) -> PlanJSON {
        switch value {
        case .list(let elements):
            depth <= 1 ? .list([]) : .list(elements.map { shallow($0, depth - 1) })
        case .object(let members):
            depth <= 1 ? .object([:]) : .object(members.mapValues { shallow($0, depth - 1) })
        case .null, .boolean, .number, .text: value
        }
    }

    private static func short(_ value: PlanJSON) -> PlanJSON {
        switch value {
        case .text(let text):
            text.utf8.count <= textMax ? value : .text(Words.line(text, max: textMax))
        case .list(let elements): .list(elements.prefix(elementsMax).map(short))
        case .object(let members): .object(members.mapValues(short))
        case .null, .boolean, .number: value
        }
    }

    /// About its bytes as JSON, from above for most texts.
    private static func size(_ value: PlanJSON) -> Int {
        switch value {
        case .null, .boolean: return 5
        case .number: return 20
        case .text(let text): return text.utf8.count + 4
        case .list(let elements):
            var sum = 2
            for element in elements { sum += size(element) + 1 }
            return sum
        case .object(let members):
            var sum = 2
            for (name, value) in members { sum += name.utf8.count + 4 + size(value) }
            return sum
        }
    }
}
