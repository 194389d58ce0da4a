import ControllerCore

/// Reads a JSON object's fields and gathers everything that is wrong with them, so that a caller learns it all at once.
struct Fields {
    private var members: [String: JSONValue]
    private var known: Set<String> = []
    private var errors: [Problem.Item] = []

    init(_ value: JSONValue) throws {
        guard case .object(let members) = value else {
            throw Problem.invalid("", "The body must be a JSON object.")
        }
        self.members = members
    }

    /// The fields of a request whose body may be left out.
    init(optional value: JSONValue?) throws {
        try self.init(value ?? .object([:]))
    }

    var hasErrors: Bool { !errors.isEmpty }

    mutating func raw(_ name: String) -> JSONValue? {
        known.insert(name)
        if case .null = members[name] { return nil }
        return members[name]
    }

    /// Whether it is given as `null`: where what is not given stays as it is, this takes it away.
    func isNull(_ name: String) -> Bool {
        if case .null = members[name] { return true }
        return false
    }

    mutating func wrong(_ name: String, _ message: String) {
        errors.append(Problem.Item(path: name, message: message))
    }

    /// - Parameter isLine: Whether line feeds and other control characters are refused: it is shown in terminals and tables.
    mutating func string(_ name: String, max: Int = 1024, min: Int = 0, isLine: Bool = false) -> String? {
        guard let value = raw(name) else { return nil }
        guard case .string(let text) = value else {
            wrong(name, "It must be a text.")
            return nil
        }
        guard text.utf8.count <= max, text.utf8.count >= min else {
            wrong(name, min > 0 && text.isEmpty ? "It must not be empty." : "It must have at most \(max) bytes.")
            return nil
        }
        if isLine, text.unicodeScalars.contains(where: Self.controls) {
            wrong(name, "It must have no line feed or other control character.")
            return nil
        }
        return text
    }

    /// Whether it begins a line, steers a terminal, or turns the direction of what follows.
    private static func controls(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: (0x202A...0x202E).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
        }
    }

    mutating func required(_ name: String, max: Int = 1024, isLine: Bool = false) -> String {
        if raw(name) == nil { wrong(name, "It is missing.") }
        return string(name, max: max, min: 1, isLine: isLine) ?? ""
    }

    /// The name of something that people tell apart by it, and that stands in addresses.
    mutating func name(_ field: String, isRequired: Bool) -> String? {
        let name =
            isRequired ? required(field, max: 128, isLine: true) : string(field, max: 128, min: 1, isLine: true)
        guard let name, !name.isEmpty else { return name }
        if name.unicodeScalars.contains(where: { Self.unseen.contains($0.properties.generalCategory) }) {
            wrong(field, "It must have no character that is not seen: two names would look the same.")
        } else if name.first?.isWhitespace == true || name.last?.isWhitespace == true {
            wrong(field, "It must not begin or end with a blank.")
        } else if (try? RequestPath("/" + PercentCode.encode(name))) == nil {
            wrong(
                field,
                "It must not be `.` or `..`, also not beside a slash, and have no `;` and no `\\`: it stands in addresses."
            )
        }
        return name
    }

    /// Joiners, marks of direction, separators, and what means nothing everywhere.
    private static let unseen: Set<Unicode.GeneralCategory> = [
        .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned,
    ]

    mutating func bool(_ name: String) -> Bool? {
        guard let value = raw(name) else { return nil }
        if case .bool(let flag) = value { return flag }
        wrong(name, "It must be true or false.")
        return nil
    }

    /// What an id in JSON may be: larger numbers are not kept exactly by everybody (RFC 8259 section 6).
    package static let ids = 1...(1 << 53) - 1

    mutating func integer(_ name: String, _ range: ClosedRange<Int>) -> Int? {
        guard let value = raw(name) else { return nil }
        if case .number(let number) = value, let whole = Int(exactly: number), range.contains(whole) { return whole }
        wrong(name, "It must be a whole number from \(range.lowerBound) to \(range.upperBound).")
        return nil
    }

    mutating func time(_ name: String) -> Int64? {
        guard let text = string(name, max: 64) else { return nil }
        guard let time = Timestamp.parse(text) else {
            wrong(name, "It must be a time such as 2026-01-31T12:00:00Z.")
            return nil
        }
        return time
    }

    mutating func strings(_ name: String, max: Int) -> [String]? {
        guard let value = raw(name) else { return nil }
        guard case .array(let items) = value, items.count <= max else {
            wrong(name, "It must be a list of at most \(max) texts.")
            return nil
        }
        return items.enumerated().compactMap { index, item in
            if case .string(let text) = item { return text }
            wrong("\(name)[\(index)]", "It must be a text.")
            return nil
        }
    }

    /// An object of texts, numbers and flags, all as text.
    mutating func scalars(_ name: String, max: Int) -> [String: JSONValue]? {
        guard let value = raw(name) else { return nil }
        guard case .object(let members) = value, members.count <= max else {
            wrong(name, "It must be an object with at most \(max) members.")
            return nil
        }
        for (key, value) in members {
            switch value {
            case .string, .number, .bool: break
            default: wrong("\(name).\(key)", "It must be a text, a number, true or false.")
            }
        }
        return members
    }

    /// To be called when all fields have been read.
    ///
    /// - Throws: A 422 that names every wrong and every unknown field.
    mutating func finish() throws {
        for name in members.keys.sorted() where !known.contains(name) {
            let names = known.sorted().joined(separator: ", ")
            wrong(name, "This field is not known; known are: \(names).")
        }
        guard let first = errors.first else { return }
        let more = errors.count > 1 ? " And \(errors.count - 1) more." : ""
        throw Problem.invalid("The field `\(first.path)` is wrong. \(first.message)\(more)", errors: errors)
    }
}
