import ControllerCore

/// The forms of what the interface takes and gives, by resource.
enum Schemas {
    static let problem = Component(
        "Problem",
        .object([
            "type": .text, "title": .text, "status": .integer(400...599), "detail": .text,
            "errors": .list(of: .object(["path": .text, "message": .text])), "request_id": .text,
        ]),
        example: """
            {"type":"about:blank","title":"Invalid request","status":422,"detail":"The field `name` is wrong. It is \
            missing.","errors":[{"path":"name","message":"It is missing."}],"request_id":"1a2b3c-7"}
            """)

    /// A text on one line.
    static func line(_ max: Int = 128) -> Schema { .text(1...max, pattern: "^[^\\u0000-\\u001F\\u007F-\\u009F]*$") }

    static let reason = Schema.text(0...1024)
    static let phase = Schema.one(of: Phase.self)
    static let outcome = Schema.one(of: Outcome.self)
    static let status = Schema.one(of: Status.self)

    /// A text, a number or a flag.
    static let scalar = Schema.either([.text, .number, .flag])
    static let outputs = Schema.map(.text)
}
