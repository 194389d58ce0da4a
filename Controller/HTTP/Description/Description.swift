/// What a route takes and answers, for those who call it: the part of the interface's description that its handler can't tell.
package struct Description: Sendable {
    package var tag: Tag
    /// What there is to know beyond the summary; plain text, may be empty.
    package var text: String
    /// What the body is; nil where none is read.
    package var takes: Payload?
    /// What comes where all goes well.
    package var answers: [Answer]
    /// Statuses of problems beyond those that ``Description/problems(of:)`` gives every route.
    package var problems: [Int]
    /// Whether `If-Match` is looked at.
    package var takesIfMatch: Bool
    /// Whether the dispatcher compares it with the tag of the GET at the same address.
    package var comparesTag: Bool
    /// Whether `Range` is looked at.
    package var takesRange: Bool

    /// Whether the answer holds a secret that is shown once: then it is not kept for an `Idempotency-Key` either.
    package var isShownOnce: Bool
    /// Whether the handler looks at `Idempotency-Key` itself.
    package var keepsOwnKeys: Bool

    package init(
        _ tag: Tag, _ text: String = "", takes: Payload? = nil, answers: [Answer], problems: [Int] = [],
        takesIfMatch: Bool = false, comparesTag: Bool = false, takesRange: Bool = false, isShownOnce: Bool = false,
        keepsOwnKeys: Bool = false
    ) {
        self.tag = tag
        self.text = text
        self.takes = takes
        self.answers = answers
        self.problems = problems
        self.takesIfMatch = takesIfMatch || comparesTag
        self.comparesTag = comparesTag
        self.takesRange = takesRange
        self.isShownOnce = isShownOnce
        self.keepsOwnKeys = keepsOwnKeys
    }

    /// A body of a request.
    package struct Payload: Sendable {
        package var schema: Schema
        /// JSON.
        package var example: String
        package var isOptional: Bool

        package init(_ schema: Schema, example: String, isOptional: Bool = false) {
            self.schema = schema
            self.example = example
            self.isOptional = isOptional
        }

        /// An object that may be left out, and of which all members may be.
        package static func optional(_ schema: Schema, example: String = "{}") -> Payload {
            Payload(schema, example: example, isOptional: true)
        }
        /// Where a body may come and is not read: the empty object.
        package static let nothing = optional(.input([:]))
    }

    package struct Answer: Sendable {
        package var status: Int
        package var summary: String
        package var contentType: String?
        /// Nil for bytes and text, and where there is no body.
        package var schema: Schema?
        /// JSON where the schema is not nil, else as it is sent; nil where showing one would tell nothing.
        package var example: String?
        package var headers: [Header] = []
    }

    package struct Header: Sendable {
        package var name: String
        package var summary: String

        package init(_ name: String, _ summary: String) {
            self.name = name
            self.summary = summary
        }
    }
}

extension Description.Answer {
    package static func json(
        _ status: Int, _ schema: Schema, example: String? = nil, _ summary: String
    ) -> Description.Answer {
        var example = example
        if example == nil, case .component(let component) = schema { example = component.example }
        return Self(status: status, summary: summary, contentType: "application/json", schema: schema, example: example)
    }

    /// 200.
    package static func ok(
        _ schema: Schema, example: String? = nil, as type: String = "application/json",
        _ summary: String = "As asked for"
    ) -> Description.Answer {
        var answer = json(200, schema, example: example, summary)
        answer.contentType = type
        return answer
    }

    /// 201 with a `Location`.
    package static func created(
        _ schema: Schema, example: String? = nil, at location: Bool = true
    ) -> Description.Answer {
        var answer = json(201, schema, example: example, "Made")
        if location { answer.headers.append(.init("Location", "Where the new thing is")) }
        return answer
    }

    /// 204.
    package static let noContent = Self(status: 204, summary: "Done; there is nothing to say")

    /// 303 with a `Location`.
    package static let seeOther: Self = {
        var answer = Self(status: 303, summary: "Go on there")
        answer.headers.append(.init("Location", "Where to go on"))
        return answer
    }()

    /// 101.
    package static let switching = Self(status: 101, summary: "From here on it is a WebSocket")

    /// A page of a list, with `Link`.
    package static func page(of item: Component) -> Description.Answer {
        var answer = ok(
            .page(of: .component(item)),
            example: "{\"items\":[\(item.example)],\"page\":1,\"per_page\":20,\"total\":1}",
            "A page")
        answer.headers.append(.init("Link", "Addresses of the first, previous, next and last page (RFC 8288)"))
        return answer
    }

    /// A list that is short enough to come whole: one page, and it is the last.
    package static func whole(of item: Component) -> Description.Answer {
        var answer = ok(
            .page(of: .component(item)), example: "{\"items\":[\(item.example)],\"page\":1,\"per_page\":1,\"total\":1}",
            "The whole list, or the page that was asked for")
        answer.headers = page(of: item).headers
        return answer
    }

    /// Not JSON.
    package static func content(
        _ contentType: String, _ status: Int = 200, example: String? = nil, summary: String = "As asked for"
    ) -> Description.Answer { Self(status: status, summary: summary, contentType: contentType, example: example) }

    /// 206, one range of the bytes.
    package static func partial(_ contentType: String) -> Description.Answer {
        var answer = content(contentType, 206, summary: "The bytes that were asked for")
        answer.headers.append(.init("Content-Range", "Which bytes of how many"))
        return answer
    }
}

extension Schema {
    /// A page of a list.
    package static func page(of item: Schema) -> Schema {
        .object(["items": .list(of: item), "page": .id, "per_page": .id, "total": .count])
    }
}
