extension Schemas {
    static let logIndex = Component(
        "LogIndex",
        .object([
            "attempt": .id, "total": .count, "bytes": .count, "complete": .flag, "scanned": .count,
            "started_at": .optional(.time), "error_count": .count, "warning_count": .count,
            "errors": .list(of: .id), "warnings": .list(of: .id),
            "sections": .list(
                of: .object([
                    "start": .id, "end": .optional(.id), "title": .text, "level": .id, "open": .optional(.flag),
                    "from_ms": .count, "to_ms": .optional(.count),
                ])),
            "styles": .list(of: .object(["block": .count, "sgr": .text])),
        ]),
        example: """
            {"attempt":1,"total":3,"bytes":40,"complete":true,"scanned":3,"started_at":"2026-01-31T12:00:00.000Z",\
            "error_count":1,"warning_count":0,"errors":[2],"warnings":[],"sections":[{"start":1,"end":3,"title":"Build",\
            "level":1,"open":null,"from_ms":5,"to_ms":70}],"styles":[]}
            """)

    static let logMatches = Component(
        "LogMatches",
        .object([
            "total": .count, "complete": .flag, "count": .count, "lines": .count, "next_line": .optional(.id),
            "hits": .list(of: .list(of: .count)),
        ]),
        example: """
            {"total":3,"complete":true,"count":1,"lines":1,"next_line":null,"hits":[[2,6,5]]}
            """)
}
