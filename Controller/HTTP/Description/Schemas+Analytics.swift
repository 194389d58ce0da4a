import ControllerCore

extension Schemas {
    private static let sketch = Schema.object([
        "count": .count, "mean": .optional(.count), "p50": .optional(.count), "p95": .optional(.count),
    ])
    private static let figures = Schema.object([
        "total": .count, "success": .count, "failed": .count, "cancelled": .count, "skipped": .count,
        "success_rate": .optional(.number), "duration_ms": sketch, "queue_ms": sketch,
    ])
    private static let party = figures.adding(["id": .count, "name": .text, "step": .optional(.text)])
    private static let example = """
        "total":4,"success":3,"failed":1,"cancelled":0,"skipped":0,"success_rate":0.75,"duration_ms":{"count":4,\
        "mean":1200,"p50":1100,"p95":1900},"queue_ms":{"count":4,"mean":20,"p50":18,"p95":40}
        """

    static let overview = Component(
        "AnalyticsOverview",
        .object([
            "window": .one(of: StatWindow.self), "from": .time, "to": .time, "runs": figures,
            "projects": .list(of: party), "pipelines": .list(of: party), "steps": .list(of: party),
            "agents": .list(of: party),
        ]),
        example: """
            {"window":"7d","from":"2026-01-24T13:00:00.000Z","to":"2026-01-31T13:00:00.000Z","runs":{\(example)},\
            "projects":[],"pipelines":[{"id":1,"name":"widgets","step":null,\(example)}],"steps":[],"agents":[]}
            """)

    static let trend = Component(
        "AnalyticsTrend",
        .object([
            "window": .one(of: StatWindow.self), "step": .one(of: ["hour", "day"]),
            "points": .list(of: figures.adding(["at": .time])),
        ]),
        example: """
            {"window":"24h","step":"hour","points":[{"at":"2026-01-31T12:00:00.000Z",\(example)}]}
            """)

    static let apiFigures = Component(
        "AnalyticsAPI",
        .object([
            "window": .one(of: StatWindow.self), "from": .time, "to": .time,
            "routes": .list(
                of: .object([
                    "operation": .text, "requests": .count, "refused": .count, "failed": .count, "duration_us": sketch,
                ])),
        ]),
        example: """
            {"window":"24h","from":"2026-01-30T13:00:00.000Z","to":"2026-01-31T13:00:00.000Z","routes":[\
            {"operation":"listRuns","requests":7,"refused":1,"failed":0,"duration_us":{"count":7,"mean":90,"p50":80,\
            "p95":200}}]}
            """)
}
