import ControllerCore

/// Collects a mapping's entries: reports duplicates and resolves merge keys.
struct YamlMappingBuilder {
    private var entries: [YamlNode.Entry] = []
    private var places: [String: SourceSpan] = [:]
    private var merged: [YamlNode.Entry] = []
    private var mergeSpan: SourceSpan?

    /// Of two equal keys the first is kept.
    mutating func add(
        _ key: YamlNode.Scalar, _ span: SourceSpan, _ value: YamlNode, _ path: DocumentPath,
        _ findings: inout Findings
    ) {
        if key.text == "<<", key.style == .plain {
            if let mergeSpan { reportDuplicate("<<", span, first: mergeSpan, path, &findings) }
            mergeSpan = mergeSpan ?? span
            merge(value, path, &findings)
            return
        }
        if let first = place(of: key.text) {
            reportDuplicate(key.text, span, first: first, path, &findings)
            return
        }
        entries.append(YamlNode.Entry(key: key.text, keySpan: span, value: value))
        if !places.isEmpty { places[key.text] = span }
    }

    /// Most maps are small, and looking through a few keys is faster than hashing them.
    private static let fewKeys = 12

    private mutating func place(of key: String) -> SourceSpan? {
        guard entries.count > Self.fewKeys else { return entries.first { $0.key == key }?.keySpan }
        if places.isEmpty { for entry in entries { places[entry.key] = entry.keySpan } }
        return places[key]
    }

    /// The mapping's own entries, then those of merge keys that it does not have itself.
    func finished() -> [YamlNode.Entry] {
        if merged.isEmpty { return entries }
        var seen = Set(entries.map(\.key))
        return entries + merged.filter { seen.insert($0.key).inserted }
    }

    private mutating func merge(_ value: YamlNode, _ path: DocumentPath, _ findings: inout Findings) {
        switch value.content {
        case .mapping(let entries):
            merged += entries
        case .sequence(let items):
            for item in items {
                guard case .mapping(let entries) = item.content else {
                    reportMerge(item.span, path, &findings)
                    continue
                }
                merged += entries
            }
        case .scalar:
            reportMerge(value.span, path, &findings)
        }
    }

    private func reportMerge(_ span: SourceSpan, _ path: DocumentPath, _ findings: inout Findings) {
        findings.report(
            .mergeInvalid, "`<<` takes a map, an alias of one, or a list of those.", at: span,
            path: path.key("<<"))
    }

    private func reportDuplicate(
        _ key: String, _ span: SourceSpan, first: SourceSpan, _ path: DocumentPath, _ findings: inout Findings
    ) {
        findings.report(
            .duplicateKey, "`\(key.prefix(64))` is there twice; the first is in line \(first.line).", at: span,
            path: path.key(key))
    }
}
