import ControllerCore
import HTTPTypes

/// One route as an operation of the description.
struct OperationJSON {
    let route: Route

    static let sharedHeaders: [(name: String, summary: String, schema: Schema)] = [
        ("X-Request-ID", "The request's id: the caller's own where it sent one, else a new one.", .text),
        ("ETag", "Changes whenever the answer does; for `If-None-Match`.", .text),
        ("Retry-After", "Seconds until it is worth trying again.", .count),
        ("WWW-Authenticate", "How to log in.", .text),
    ]

    /// A reference to one of ``sharedHeaders``.
    static func header(_ name: String, _ json: inout JSONWriter) {
        json.key(name)
        json.object { $0.field("$ref", "#/components/headers/\(name)") }
    }

    func write(_ json: inout JSONWriter) {
        json.object { json in
            json.field("operationId", route.operation)
            json.field("summary", route.summary)
            if let text = route.describes?.text, !text.isEmpty { json.field("description", text) }
            json.field("tags", [route.describes?.tag.rawValue ?? Tag.system.rawValue])
            json.field("x-permission", route.permission.rawValue)
            json.name("security")
            let schemes = route.permission == .public ? [] : ["bearer", "apiKey"]
            json.array(schemes) { json, scheme in
                json.object { json in
                    json.key(scheme)
                    json.array([String]()) { $0.string($1) }
                }
            }
            parameters(&json)
            body(&json)
            json.name("responses")
            json.object { responses(&$0) }
        }
    }

    // MARK: Request

    private func parameters(_ json: inout JSONWriter) {
        json.name("parameters")
        var all = route.parameterNames.map { name in
            (
                place: "path", name: name, summary: "", schema: route.kind(of: name).pathSchema, isRequired: true,
                standard: String?.none
            )
        }
        all += route.query.map { ("query", $0.name, $0.summary, $0.schema, $0.isRequired, $0.standard) }
        all += requestHeaders.map { ("header", $0.name, $0.summary, $0.schema, false, nil) }
        json.array(all) { json, parameter in
            json.object { json in
                json.field("name", parameter.name)
                json.field("in", parameter.place)
                json.field("required", parameter.isRequired)
                if !parameter.summary.isEmpty { json.field("description", parameter.summary) }
                json.name("schema")
                Self.schema(parameter.schema, standard: parameter.standard, &json)
            }
        }
    }

    private static func schema(_ schema: Schema, standard: String?, _ json: inout JSONWriter) {
        guard let standard else { return schema.write(&json) }
        schema.write(&json) { json in
            switch schema {
            case .integer, .boolean, .number:
                json.name("default")
                json.raw(Array(standard.utf8))
            default: json.field("default", standard)
            }
        }
    }

    private var requestHeaders: [(name: String, summary: String, schema: Schema)] {
        var headers: [(name: String, summary: String, schema: Schema)] = []
        let answers = route.describes?.answers ?? []
        if route.method == .get, answers.contains(where: { $0.status == 200 }) {
            headers.append(("If-None-Match", "An `ETag`: the answer is 304 while it is still the same.", .text))
        }
        if route.isCreation {
            headers.append(
                (
                    "Idempotency-Key",
                    "Chosen by the caller: whoever sends it again within 24 h gets the first answer again.",
                    .text(1...255, pattern: "^[!-~]+$")
                ))
        }
        if route.describes?.takesIfMatch == true {
            headers.append(
                (
                    "If-Match", "The version that is to be changed, as its `ETag` has it.",
                    route.describes?.comparesTag == true
                        ? .text(1...80, pattern: #"^(\*|"[0-9a-z.-]{1,64}")$"#)
                        : .text(1...22, pattern: #"^(\*|"[0-9]{1,18}")$"#)
                ))
        }
        if route.describes?.takesRange == true {
            headers.append(("Range", "One range of bytes, such as `bytes=0-99`.", .text))
        }
        return headers
    }

    private func body(_ json: inout JSONWriter) {
        guard !route.body.isEmpty else { return }
        let payload = route.describes?.takes ?? .nothing
        json.name("requestBody")
        json.object { json in
            json.field("required", !payload.isOptional)
            json.name("content")
            json.object { json in
                for type in route.body {
                    json.key(type)
                    json.object { json in
                        json.name("schema")
                        payload.schema.write(&json)
                        json.name("example")
                        json.raw(Array(payload.example.utf8))
                    }
                }
            }
        }
    }

    // MARK: Responses

    private func responses(_ json: inout JSONWriter) {
        let answers = route.describes?.answers ?? []
        for status in Set(answers.map(\.status)).sorted() {
            json.key(String(status))
            answer(answers.filter { $0.status == status }, &json)
        }
        if route.method == .get, answers.contains(where: { $0.status == 200 }) {
            json.key("304")
            json.object { json in
                json.field("description", "Nothing has changed since the `ETag` that was sent")
                json.name("headers")
                json.object { Self.header("X-Request-ID", &$0) }
            }
        }
        for status in Description.problems(of: route) {
            json.key(String(status))
            if route.isPage {
                OpenAPI.problem(status, asPage: true, &json)
            } else {
                json.object { $0.field("$ref", "#/components/responses/Problem\(status)") }
            }
        }
    }

    /// The answers of one status, which differ by content type.
    private func answer(_ answers: [Description.Answer], _ json: inout JSONWriter) {
        json.object { json in
            json.field("description", answers.map(\.summary).joined(separator: "; "))
            json.name("headers")
            json.object { json in
                Self.header("X-Request-ID", &json)
                if route.method == .get, answers[0].status == 200 { Self.header("ETag", &json) }
                for header in answers.flatMap(\.headers) {
                    json.key(header.name)
                    json.object { json in
                        json.field("description", header.summary)
                        json.name("schema")
                        Schema.text.write(&json)
                    }
                }
            }
            let bodies = answers.filter { $0.contentType != nil }
            guard !bodies.isEmpty else { return }
            json.name("content")
            json.object { json in
                for body in bodies {
                    json.key(body.contentType ?? "")
                    content(body, &json)
                }
            }
        }
    }

    private func content(_ answer: Description.Answer, _ json: inout JSONWriter) {
        json.object { json in
            json.name("schema")
            if let schema = answer.schema {
                schema.write(&json)
            } else {
                // Text is a string of JSON Schema's; bytes have no form in it, and an empty schema says just that.
                (answer.contentType?.hasPrefix("text/") == true ? Schema.text : .anything).write(&json)
            }
            guard let example = answer.example else { return }
            json.name("example")
            if answer.schema == nil { json.string(example) } else { json.raw(Array(example.utf8)) }
        }
    }
}

extension Route {
    /// Whether it makes something new, and so takes an `Idempotency-Key`: one of a caller, so that who has none yet can send none.
    package var isCreation: Bool {
        method == .post && permission != .public && permission != .webhook
            && describes?.answers.contains { $0.status == 201 || $0.status == 202 } == true
    }
}
