import ControllerCore

extension SchemaReader {
    mutating func text(
        _ node: YamlNode, _ rule: SchemaType.TextRule, _ path: DocumentPath
    ) -> SchemaValue? {
        guard case .scalar(let scalar) = node.content, !node.isNull else {
            let hint: String? =
                node.isNull && rule.isEmptyAllowed
                ? "Write \"\" for an empty text." : node.isNull ? "Write the value, or leave the word out." : nil
            return wrong(node, "a text", path, hint: hint)
        }
        let bytes = scalar.text.utf8.count
        guard bytes <= rule.bytesMax else {
            findings.report(
                .tooLong, "The text has \(bytes) bytes; at most \(rule.bytesMax) are allowed.", at: node.span,
                path: path)
            return nil
        }
        if !rule.isEmptyAllowed, Scalars.isBlank(scalar.text) {
            findings.report(
                .invalidValue, "The text is empty.", at: node.span, path: path,
                hint: "Write the value, or leave the word out.")
            return nil
        }
        guard rule.isInterpolated else {
            if TemplateSyntax.hasMark(scalar.text) {
                findings.report(.notAvailableHere, "`${{ }}` can't be used here.", at: node.span, path: path)
                return nil
            }
            return SchemaValue(content: .literal(scalar.text), node: node, path: path)
        }
        guard TemplateSyntax.hasMark(scalar.text) else {
            return SchemaValue(content: .literal(scalar.text), node: node, path: path)
        }
        return template(scalar.text, node, path)
    }

    private mutating func template(_ text: String, _ node: YamlNode, _ path: DocumentPath) -> SchemaValue? {
        if let parts = templates[text] { return SchemaValue(content: .template(parts), node: node, path: path) }
        let (parts, faults) = TemplateSyntax.parts(of: text)
        report(faults, in: node, path: path)
        guard faults.isEmpty else { return nil }
        // What is only an escaped mark is a text.
        if parts.count == 1, case .text(let text) = parts[0] {
            return SchemaValue(content: .literal(text), node: node, path: path)
        }
        templates[text] = parts
        return SchemaValue(content: .template(parts), node: node, path: path)
    }

    mutating func report(_ faults: [ExpressionFault], in node: YamlNode, path: DocumentPath) {
        for fault in faults {
            findings.report(fault.code, fault.message, at: node.span(of: fault.range), path: path, hint: fault.hint)
        }
    }

    mutating func integer(_ node: YamlNode, _ range: ClosedRange<Int>, _ path: DocumentPath) -> SchemaValue? {
        guard case .scalar(let scalar) = node.content, scalar.style == .plain, let number = Int(scalar.text) else {
            return wrong(node, "a whole number", path)
        }
        guard range.contains(number) else {
            findings.report(
                .outOfRange, "\(number) is out of range; \(range.lowerBound) to \(range.upperBound) are allowed.",
                at: node.span, path: path)
            return nil
        }
        return SchemaValue(content: .integer(number), node: node, path: path)
    }

    mutating func boolean(_ node: YamlNode, _ path: DocumentPath) -> SchemaValue? {
        guard case .scalar(let scalar) = node.content, scalar.style == .plain,
            let flag = Scalars.boolean(scalar.text)
        else {
            var hint: String?
            if case .scalar(let scalar) = node.content {
                let word = scalar.text.lowercased()
                if ["yes", "on", "y", "1", "true"].contains(word) { hint = "Write `true` without quotes." }
                if ["no", "off", "n", "0", "false"].contains(word) { hint = "Write `false` without quotes." }
            }
            return wrong(node, "`true` or `false`", path, hint: hint)
        }
        return SchemaValue(content: .boolean(flag), node: node, path: path)
    }

    mutating func choice(_ node: YamlNode, _ options: [String], _ path: DocumentPath) -> SchemaValue? {
        guard case .scalar(let scalar) = node.content, options.contains(scalar.text) else {
            let list = options.map { "`\($0)`" }.joined(separator: ", ")
            var hint: String?
            if case .scalar(let scalar) = node.content { hint = Nearest.hint(scalar.text, among: options) }
            return wrong(node, "one of \(list)", path, hint: hint)
        }
        return SchemaValue(content: .literal(scalar.text), node: node, path: path)
    }

    mutating func amount(
        _ node: YamlNode, _ range: ClosedRange<UInt64>, _ path: DocumentPath, wanted: String,
        _ parse: (String) -> UInt64?, _ show: (UInt64) -> String
    ) -> SchemaValue? {
        guard case .scalar(let scalar) = node.content, let amount = parse(scalar.text) else {
            var hint: String?
            if case .scalar(let scalar) = node.content, Int(scalar.text) != nil { hint = "Add the unit." }
            return wrong(node, wanted, path, hint: hint)
        }
        guard range.contains(amount) else {
            findings.report(
                .outOfRange,
                "\(node.description) is out of range; \(show(range.lowerBound)) to "
                    + "\(show(range.upperBound)) are allowed.", at: node.span, path: path)
            return nil
        }
        return SchemaValue(content: .amount(amount), node: node, path: path)
    }

    mutating func expression(_ node: YamlNode, _ path: DocumentPath) -> SchemaValue? {
        guard case .scalar(let scalar) = node.content, !node.isNull else {
            return wrong(node, "a condition", path)
        }
        if let syntax = conditions[scalar.text] {
            return SchemaValue(content: .expression(syntax), node: node, path: path)
        }
        let (text, offset) = Scalars.unwrapped(scalar.text)
        do throws(ExpressionFault) {
            let syntax = try ExpressionParser.parse(text).moved(by: offset)
            conditions[scalar.text] = syntax
            return SchemaValue(content: .expression(syntax), node: node, path: path)
        } catch {
            var fault = error
            fault.range = fault.range.lowerBound + offset..<fault.range.upperBound + offset
            report([fault], in: node, path: path)
            return nil
        }
    }
}
