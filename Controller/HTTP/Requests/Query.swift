import ControllerCore

/// A request's query parameters: only those that its route knows, each once.
package struct Query: Sendable {
    private var values: [String: String] = [:]

    init() {}

    init(_ raw: Substring, known: [QueryParameter]) throws {
        guard let pairs = PercentCode.pairs(Array(raw.utf8)) else {
            throw Problem.malformed("The query can't be decoded.")
        }
        for (name, value) in pairs {
            guard let parameter = known.first(where: { $0.name == name }) else {
                let names = known.map(\.name).joined(separator: ", ")
                throw Problem.malformed(
                    names.isEmpty
                        ? "The query parameter `\(name)` is not known here; this address takes none."
                        : "The query parameter `\(name)` is not known here; known are: \(names).",
                    errors: [.init(path: "query.\(name)", message: "This parameter is not known.")])
            }
            guard values.updateValue(value, forKey: name) == nil else {
                throw Self.wrong(name, "It is given twice.")
            }
            if let refusal = parameter.kind.refusal(of: value) { throw Self.wrong(name, refusal) }
        }
        for parameter in known where parameter.isRequired && text(parameter.name) == nil {
            throw Self.wrong(parameter.name, "It is missing.")
        }
    }

    /// Of a page: whatever it has, the first of each name.
    init(any raw: Substring) {
        for (name, value) in PercentCode.pairs(Array(raw.utf8)) ?? [] where values[name] == nil { values[name] = value }
    }

    func text(_ name: String) -> String? { values[name].flatMap { $0.isEmpty ? nil : $0 } }

    func integer(_ name: String, _ range: ClosedRange<Int64>) throws -> Int64? {
        guard let text = text(name) else { return nil }
        guard let value = Int64(text), range.contains(value) else {
            throw Self.wrong(name, "It must be a whole number from \(range.lowerBound) to \(range.upperBound).")
        }
        return value
    }

    func flag(_ name: String) throws -> Bool? {
        guard let text = text(name) else { return nil }
        switch text {
        case "1", "true": return true
        case "0", "false": return false
        default: throw Self.wrong(name, "It must be `true` or `false`.")
        }
    }

    func time(_ name: String) throws -> Int64? {
        guard let text = text(name) else { return nil }
        guard let time = Timestamp.parse(text) else {
            throw Self.wrong(name, "It must be a time such as 2026-01-31T12:00:00Z.")
        }
        return time
    }

    /// `page` and `per_page`.
    func page() throws -> (page: Int, perPage: Int) {
        (Int(try integer("page", 1...1_000_000) ?? 1), Int(try integer("per_page", 1...100) ?? 20))
    }

    static func wrong(_ name: String, _ message: String) -> Problem {
        .malformed(
            "The query parameter `\(name)` is wrong. \(message)",
            errors: [.init(path: "query.\(name)", message: message)])
    }

    /// Parameters as they were given, each with `&` behind it: for links to other pages of a list.
    func kept(_ names: [String]) -> String {
        names.compactMap { name in text(name).map { "\(name)=\(PercentCode.encode($0))&" } }.joined()
    }

    /// All parameters but those of pages, by name, as ``kept(_:)`` gives them.
    var keptBesidePaging: String { kept(values.keys.filter { $0 != "page" && $0 != "per_page" }.sorted()) }

    /// `sort` of a list of named things.
    func order() -> ListOrder { text("sort").flatMap(ListOrder.init(rawValue:)) ?? .name }

    static let order = QueryParameter(
        "sort", "In which order; a `-` turns it round", .choice(ListOrder.self), default: ListOrder.name.rawValue)

    static let paging = [
        QueryParameter("page", "Page number", .integer(1...1_000_000), default: "1"),
        QueryParameter("per_page", "Items on a page", .integer(1...100), default: "20"),
    ]

    /// Of a list that is short enough to come whole.
    static let pagingIfWanted = [
        QueryParameter("page", "Page number", .integer(1...1_000_000), default: "1"),
        QueryParameter(
            "per_page", "Items on a page; 20 where only `page` is given, and all where neither is", .integer(1...100)),
    ]
}
