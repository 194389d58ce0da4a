import ControllerCore

/// Collects a mapping's entries: reports duplicates and resolves merge keys.
struct YamlMappingBuilder {
    private var entries: [YamlNode.Entry] = []
    private var places: [String: SourceSpan] = [:]
    private var merged: [YamlNode.Entry] = []
    private var mergeSpan: SourceSpan?

    /// Of two equal keys the first is kept.
    mutating func add(
        _ key: YamlNode.Scalar, _ span: SourceSpan, _ value: YamlNode, _ parts: [DocumentPath.Part],
        _ findings: inout Findings
    ) {
        if key.text == "<<", key.style == .plain {
            if let mergeSpan { reportDuplicate("<<", span, first: mergeSpan, parts, &findings) }
            mergeSpan = mergeSpan ?? span
            merge(value, parts, &findings)
            return
        }
        if let first = place(of: key.text) {
            reportDuplicate(key.text, span, first: first, parts, &findings)
            return
        }
        if entries.isEmpty { entries.reserveCapacity(Self.usualCount) }
        entries.append(YamlNode.Entry(key: key.text, keySpan: span, value: value))
        if !places.isEmpty { places[key.text] = span }
    }

    /// Most maps are small, and looking through a few keys is faster than hashing them.
    private static let fewKeys = 12
    /// Of entries, for which there is room from the first on.
    private static let usualCount = 6

    private mutating func place(of key: String) -> SourceSpan? {
        guard entries.count > Self.fewKeys else {
            for index in entries.indices where entries[index].key == key { return entries[index].keySpan }
            return nil
        }
        if places.isEmpty { for entry in entries { places[entry.key] = entry.keySpan } }
        return places[key]
    }

    /// The mapping's own entries, then those of merge keys that it does not have itself.
    func finished() -> [YamlNode.Entry] {
        if merged.isEmpty { return entries }
        var seen = Set(entries.map(\.key))
        return entries + merged.filter { seen.insert($0.key).inserted }
    }

    private mutating func merge(_ value: YamlNode, _ parts: [DocumentPath.Part], _ findings: inout Findings) {
        switch value.content {
        case .mapping(let entries):
            merged += entries
        case .sequence(let items):
            for item in items {
                guard case .mapping(let entries) = item.content else {
                    reportMerge(item.span, parts, &findings)
                    continue
                }
                merged += entries
            }
        case .scalar:
            reportMerge(value.span, parts, &findings)
        }
    }

    private func reportMerge(_ span: SourceSpan, _ parts: [DocumentPath.Part], _ findings: inout Findings) {
        findings.report(
            .mergeInvalid, "`<<` takes a map, an alias of one, or a list of those.", at: span,
            path: DocumentPath(parts + [.key("<<")]))
    }

    private func reportDuplicate(
        _ key: String, _ span: SourceSpan, first: SourceSpan, _ parts: [DocumentPath.Part], _ findings: inout Findings
    ) {
        findings.report(
            .duplicateKey, "`\(key.prefix(64))` is there twice; the first is in line \(first.line).", at: span,
            path: DocumentPath(parts + [.key(key)]))
    }
}
