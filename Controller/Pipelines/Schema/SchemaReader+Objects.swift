import ControllerCore

extension SchemaReader {
    /// A map with known words.
    ///
    /// - Parameter others: what else may stand there under names of the file's own.
    mutating func object(
        _ node: YamlNode, _ object: SchemaObject, _ path: DocumentPath,
        others: (type: SchemaType, keys: SchemaKeys, max: Int)? = nil
    ) -> SchemaValue? {
        guard case .mapping(let entries) = node.content else {
            let hint = object.title == "a step" && node.shape == .scalar ? "Write `- run: …`." : nil
            return wrong(node, "\(object.title) as a map", path, hint: hint)
        }
        var fields = SchemaFields()
        fields.present.reserveCapacity(entries.count)
        let inside = path.inside
        for entry in entries {
            let inner = inside.key(entry.key)
            guard let word = object.word(spelled: entry.key) else {
                if let others {
                    other(entry, others, &fields, inner)
                } else {
                    reportUnknown(entry, object, inner)
                }
                continue
            }
            switch word.kind {
            case .later:
                findings.report(
                    .notSupportedYet, "`\(entry.key)` is not supported yet.", at: entry.keySpan, path: inner)
            case .foreign(let hint):
                findings.report(
                    .foreignWord, "`\(entry.key)` is not a word of AnsFlow's language.", at: entry.keySpan,
                    path: inner, hint: hint)
            case .value(let type):
                guard !fields.has(word.name) else {
                    findings.report(
                        .conflict, "`\(entry.key)` says the same as another word here.", at: entry.keySpan,
                        path: inner,
                        hint: "Keep one of \(word.spellings.map { "`\($0)`" }.joined(separator: ", ")).")
                    continue
                }
                let value = read(entry.value, type, inner)
                fields.present.append(SchemaFields.Field(word: word.name, keySpan: entry.keySpan, value: value))
            }
        }
        for word in object.required where !fields.has(word.name) {
            findings.report(
                .missingWord, "\(object.title.capitalizedFirst) needs `\(word.name)`.", at: node.span, path: path)
        }
        return SchemaValue(content: .object(fields), node: node, path: path)
    }

    private mutating func other(
        _ entry: YamlNode.Entry, _ others: (type: SchemaType, keys: SchemaKeys, max: Int), _ fields: inout SchemaFields,
        _ path: DocumentPath
    ) {
        checkKey(entry, others.keys, path)
        if fields.others.count == others.max {
            findings.report(
                .tooMany, "There are more than \(others.max) entries of this kind.", at: entry.keySpan, path: path)
        }
        guard fields.others.count < others.max, let value = read(entry.value, others.type, path) else { return }
        fields.others.append(SchemaValue.Entry(key: entry.key, keySpan: entry.keySpan, value: value))
    }

    mutating func checkKey(_ entry: YamlNode.Entry, _ keys: SchemaKeys, _ path: DocumentPath) {
        if !keys.accepts(entry.key) {
            findings.report(
                .invalidID, "`\(entry.key.prefix(64))` is not allowed as a name here.", at: entry.keySpan,
                path: path, hint: "Names follow \(keys.pattern).")
        } else if keys == .variable || keys == .secret, entry.key.uppercased().hasPrefix("ANSFLOW_") {
            findings.report(
                .reservedName, "Variables that begin with `ANSFLOW_` are set by AnsFlow.", at: entry.keySpan,
                path: path, hint: "Take another name.")
        }
    }

    private mutating func reportUnknown(_ entry: YamlNode.Entry, _ object: SchemaObject, _ path: DocumentPath) {
        guard !findings.isFull else { return }
        let known = object.words.flatMap { word in
            if case .foreign = word.kind { return [String]() }
            return word.spellings
        }
        var hint = Nearest.hint(entry.key, among: known)
        if hint == nil {
            let homes = PipelineSchema.objects.filter { other in
                other.title != object.title && other.word(spelled: entry.key)?.isUsable == true
            }
            if !homes.isEmpty {
                hint = "It belongs to \(homes.map(\.title).joined(separator: " or "))."
            } else {
                let words = object.words.compactMap { word -> String? in
                    if case .value = word.kind { return "`\(word.name)`" }
                    return nil
                }
                hint = "Known here: \(words.joined(separator: ", "))."
            }
        }
        findings.report(
            .unknownWord, "`\(entry.key.prefix(64))` is not a word of \(object.title).", at: entry.keySpan,
            path: path, hint: hint)
    }
}
