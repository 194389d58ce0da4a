/// A schema in words.
enum SchemaText {
    static func write(_ schema: Schema, _ html: inout HTML) {
        switch schema {
        case .component(let component):
            html.element("a", ["href": "#schema-\(component.name)"], component.name)
        case .array(let items, let max):
            html.text("a list of ")
            write(items, &html)
            if let max { html.text(", at most \(max)") }
        case .map(let values):
            html.text("an object whose members are ")
            write(values, &html)
        case .either(let schemas):
            for (index, one) in schemas.enumerated() {
                if index > 0 { html.text(" or ") }
                write(one, &html)
            }
        case .object(let members): object(members, &html)
        case .string(let rules): string(rules, &html)
        case .integer(let range): html.text(integer(range))
        case .number: html.text("a number")
        case .boolean: html.text("true or false")
        case .null: html.text("null")
        case .anything: html.text("any JSON")
        }
    }

    private static func integer(_ range: ClosedRange<Int64>) -> String {
        switch (range.lowerBound, range.upperBound) {
        case (.min, .max): "a whole number"
        case (let low, .max): "a whole number from \(low)"
        case (let low, let high): "a whole number from \(low) to \(high)"
        }
    }

    private static func string(_ rules: Schema.StringRules, _ html: inout HTML) {
        guard rules.values.isEmpty else {
            for (index, value) in rules.values.enumerated() {
                if index > 0 { html.text(", ") }
                html.element("code", value)
            }
            return
        }
        if rules.format == "date-time" { return html.text("a time") }
        html.text("a text")
        if rules.min > 0, let max = rules.max {
            html.text(rules.min == max ? " of \(max) characters" : " of \(rules.min) to \(max) characters")
        } else if let max = rules.max {
            html.text(" of at most \(max) characters")
        }
    }

    private static func object(_ members: Schema.Members, _ html: inout HTML) {
        guard !members.all.isEmpty else { return html.text("an object") }
        html.element("ul", ["class": "members"]) { html in
            for member in members.all {
                html.element("li") { html in
                    html.element("code", member.name)
                    html.text(members.required.contains(member.name) ? ": " : " (may be missing): ")
                    write(member.schema, &html)
                }
            }
        }
    }
}
