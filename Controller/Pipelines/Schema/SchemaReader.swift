import ControllerCore

/// Reads a document against the table, strictly: whatever does not fit is reported, and the rest is read on.
struct SchemaReader {
    var findings: Findings
    /// What was parsed before, by its text: large files say the same in many steps. No more than the file holds.
    var conditions: [String: ExpressionSyntax] = [:]
    var templates: [String: [TemplateSyntax.Part]] = [:]

    static func read(_ root: YamlNode, as object: SchemaObject, _ findings: inout Findings) -> SchemaFields? {
        var reader = SchemaReader(findings: findings)
        let value = reader.read(root, .object(object), DocumentPath())
        findings = reader.findings
        return value?.fields
    }

    mutating func read(_ node: YamlNode, _ type: SchemaType, _ path: DocumentPath) -> SchemaValue? {
        switch type {
        case .text(let rule):
            return text(node, rule, path)
        case .integer(let range):
            return integer(node, range, path)
        case .boolean:
            return boolean(node, path)
        case .duration(let range):
            return amount(node, range, path, wanted: "a duration like `90s`, `15m` or `1h30m`", Amount.duration) {
                Amount.durationText($0)
            }
        case .size(let range):
            return amount(node, range, path, wanted: "a size like `512KiB`, `10MiB` or `1GiB`", Amount.size) {
                Amount.sizeText($0)
            }
        case .expression:
            return expression(node, path)
        case .choice(let options):
            return choice(node, options, path)
        case .list(let item, let max):
            guard case .sequence(let nodes) = node.content else { return wrong(node, "a list", path) }
            return list(nodes, item, max, node, path)
        case .listOrOne(let item, let max):
            if case .sequence(let nodes) = node.content { return list(nodes, item, max, node, path) }
            guard let one = read(node, item, path) else { return nil }
            return SchemaValue(content: .list([one]), node: node, path: path)
        case .map(let value, let keys, let max):
            return map(node, value, keys, max, path)
        case .object(let object):
            return self.object(node, object, path)
        case .falseOr(let inner):
            if case .scalar(let scalar) = node.content {
                guard scalar.style == .plain, scalar.text == "false" else {
                    return wrong(node, "`false` or a map", path)
                }
                return SchemaValue(content: .boolean(false), node: node, path: path)
            }
            return read(node, inner, path)
        case .labels(let map):
            return labels(node, map, path)
        case .open(let object, let others, let keys, let max):
            return self.object(node, object, path, others: (others, keys, max))
        case .byShape(let scalar, let list, let map, let wanted):
            let type = node.shape == .scalar ? scalar : node.shape == .list ? list : map
            guard let type, !node.isNull else { return wrong(node, wanted, path) }
            return read(node, type, path)
        case .flagOr(let inner):
            if case .scalar(let scalar) = node.content, scalar.style == .plain {
                let flag = node.isNull ? true : Scalars.boolean(scalar.text)
                if let flag { return SchemaValue(content: .boolean(flag), node: node, path: path) }
            }
            return read(node, inner, path)
        }
    }

    mutating func wrong(
        _ node: YamlNode, _ wanted: String, _ path: DocumentPath, hint: String? = nil
    ) -> SchemaValue? {
        findings.report(
            .wrongType, "Expected \(wanted), found \(node.description).", at: node.span, path: path, hint: hint)
        return nil
    }

    private mutating func list(
        _ nodes: [YamlNode], _ item: SchemaType, _ max: Int, _ node: YamlNode, _ path: DocumentPath
    ) -> SchemaValue {
        checkCount(nodes.count, max, node, path)
        var values: [SchemaValue] = []
        values.reserveCapacity(min(nodes.count, max))
        let inside = path.inside
        for (index, node) in nodes.prefix(max).enumerated() {
            if let value = read(node, item, inside.index(index)) { values.append(value) }
        }
        return SchemaValue(content: .list(values), node: node, path: path)
    }

    private mutating func map(
        _ node: YamlNode, _ type: SchemaType, _ keys: SchemaKeys, _ max: Int, _ path: DocumentPath
    ) -> SchemaValue? {
        guard case .mapping(let entries) = node.content else { return wrong(node, "a map", path) }
        checkCount(entries.count, max, node, path)
        var values: [SchemaValue.Entry] = []
        values.reserveCapacity(min(entries.count, max))
        let inside = path.inside
        for entry in entries.prefix(max) {
            let inner = inside.key(entry.key)
            checkKey(entry, keys, inner)
            if let value = read(entry.value, type, inner) {
                values.append(SchemaValue.Entry(key: entry.key, keySpan: entry.keySpan, value: value))
            }
        }
        return SchemaValue(content: .map(values), node: node, path: path)
    }

    mutating func checkCount(_ count: Int, _ max: Int, _ node: YamlNode, _ path: DocumentPath) {
        guard count > max else { return }
        findings.report(
            .tooMany, "There are \(count) entries; at most \(max) are allowed.", at: node.span, path: path)
    }

    /// `tags: [os=linux]` and `runs-on: os=linux` as a map.
    private mutating func labels(_ node: YamlNode, _ map: SchemaType, _ path: DocumentPath) -> SchemaValue? {
        let items: [YamlNode]
        switch node.content {
        case .mapping: return read(node, map, path)
        case .sequence(let nodes): items = nodes
        case .scalar: items = [node]
        }
        var entries: [YamlNode.Entry] = []
        for (index, item) in items.enumerated() {
            let hint = "Write `{ os: linux }` or `os=linux`."
            guard case .scalar(let scalar) = item.content, !item.isNull,
                let mark = scalar.text.firstIndex(of: "="), mark != scalar.text.startIndex
            else {
                return wrong(
                    item, "a label with its value", items.count == 1 ? path : path.inside.index(index), hint: hint)
            }
            let value = YamlNode.Scalar(
                text: String(scalar.text[scalar.text.index(after: mark)...]), style: scalar.style)
            entries.append(
                YamlNode.Entry(
                    key: String(scalar.text[..<mark]), keySpan: item.span,
                    value: YamlNode(scalar: value, span: item.span)))
        }
        var seen: Set<String> = []
        for entry in entries where !seen.insert(entry.key).inserted {
            findings.report(
                .duplicateKey, "The label `\(entry.key.prefix(64))` is there twice.", at: entry.keySpan, path: path
            )
        }
        return read(YamlNode(mapping: entries, span: node.span), map, path)
    }
}

extension YamlNode {
    var shape: SchemaShape {
        switch content {
        case .scalar: .scalar
        case .sequence: .list
        case .mapping: .map
        }
    }
}
