import AnsFlowProtocol
import ControllerCore
import HTTPTypes

/// Counts, durations and rates.
struct AnalyticsRoutes {
    let services: HTTPServices
    let configuration: HTTPConfiguration

    static let path = "/api/v1/analytics"
    /// Parties of each kind that an overview names.
    static let busiestMax = 20

    var routes: [Route] {
        [
            Route(
                .get, Self.path + "/overview", .read, "analyticsOverview",
                "Counts, success rates, durations and queue times, with the busiest of each kind",
                query: [Self.window] + Self.narrowing,
                describes: Description(
                    .analytics, Self.rule, answers: [.ok(.component(Schemas.overview))], problems: [404]),
                handler: overview),
            Route(
                .get, Self.path + "/trends", .read, "analyticsTrends", "The same by hour or day",
                query: [Self.window] + Self.narrowing + [QueryParameter("agent_id", "Only this agent's steps", .id)],
                describes: Description(
                    .analytics, Self.rule + " Points are hours for `24h` and `7d`, days for the others.",
                    answers: [.ok(.component(Schemas.trend))], problems: [404]), handler: trends),
            Route(
                .get, Self.path + "/api", .admin, "analyticsAPI",
                "Which routes are called how often, and how long they take",
                query: [Self.window],
                describes: Description(
                    .analytics, "`refused` are answers of 400 to 499, `failed` those from 500.",
                    answers: [.ok(.component(Schemas.apiFigures))], problems: [404]), handler: api),
        ]
    }

    private static let rule =
        "What ended in the window counts. `success_rate` is that of what succeeded or failed: cancelled and skipped runs count for neither. Quantiles are right to 2 %."
    private static let window = QueryParameter("window", "How far back", .choice(StatWindow.self), default: "7d")
    private static let narrowing = [
        QueryParameter("project_id", "Only this project", .id),
        QueryParameter("pipeline_id", "Only this pipeline", .id),
    ]

    private func reading() throws -> any AnalyticsReading {
        guard let reading = services.analytics else { throw Problem.notFound("This controller keeps no statistics.") }
        return reading
    }

    private func range(_ call: Call) async throws -> (StatWindow, StatWindow.Range) {
        let window = call.query.text("window").flatMap(StatWindow.init(rawValue:)) ?? .week
        try await services.rollUp()
        return (window, window.range(now: configuration.now()))
    }

    /// What is asked for, where the caller may see it: several keys are to be added up. Agents are administrators', who see every project.
    private func keys(_ call: Call) async throws -> [StatKey] {
        let project = try call.query.integer("project_id", 1...Int64.max)
        let pipeline = try call.query.integer("pipeline_id", 1...Int64.max)
        let agent = try call.query.integer("agent_id", 1...Int64.max)
        switch (project, pipeline, agent) {
        case (nil, nil, nil):
            guard case .only(let projects) = call.visible else { return [StatKey(.all)] }
            // Who sees none gets the empty figures of a project that nobody has.
            return projects.isEmpty
                ? [StatKey(.project)] : projects.map { StatKey(.project, id: $0.rawValue) }
        case (nil, nil, let id?):
            guard call.visible == .all else {
                throw Problem.forbidden("Only administrators see the figures of agents.")
            }
            return [StatKey(.agent, id: id)]
        case (let id?, nil, nil):
            try await call.allow(.viewer, in: ProjectID(id))
            return [StatKey(.project, id: id)]
        case (nil, let id?, nil):
            guard let row = try await services.pipelines.pipeline(PipelineID(id)) else {
                throw Problem.notFound("There is no such pipeline.")
            }
            try await call.allow(.viewer, in: row.project, what: "pipeline")
            return [StatKey(.pipeline, id: id)]
        default: throw Query.wrong("project_id", "Give only one of project_id, pipeline_id and agent_id.")
        }
    }

    @Sendable private func overview(_ call: Call) async throws -> Reply {
        let reading = try reading()
        let keys = try await keys(call)
        let (window, range) = try await range(call)
        var runs = StatFigures()
        var narrowed: Set<Int64> = []
        for key in keys {
            runs.merge(try await reading.figures(key, from: range.from, to: range.open))
            if key.scope == .pipeline { narrowed.insert(key.id) }
            if key.scope == .project { narrowed.formUnion(try await self.pipelines(of: key.id)) }
        }
        let max = Self.busiestMax
        let isWhole = keys == [StatKey(.all)]
        let pipelines = isWhole ? nil : narrowed
        let projects =
            isWhole || keys.count > 1
            ? try await reading.busiest(
                .project, ids: isWhole ? nil : Set(keys.map(\.id)), from: range.from, to: range.open, limit: max) : []
        let byPipeline = try await reading.busiest(
            .pipeline, ids: pipelines, from: range.from, to: range.open, limit: max)
        let steps = try await reading.busiest(.step, ids: pipelines, from: range.from, to: range.open, limit: max)
        let agents =
            isWhole
            ? try await reading.busiest(.agent, ids: nil, from: range.from, to: range.open, limit: max) : []
        return .json(capacity: 16_384) { json in
            json.object { json in
                json.field("window", window.rawValue)
                json.field("from", time: range.from)
                json.field("to", time: range.to)
                json.name("runs")
                json.object { AnalyticsJSON.members(runs, &$0) }
                for (name, rows) in [
                    ("projects", projects), ("pipelines", byPipeline), ("steps", steps), ("agents", agents),
                ] {
                    json.key(name)
                    json.array(rows) { AnalyticsJSON.row($1, &$0) }
                }
            }
        }
    }

    private func pipelines(of project: Int64) async throws -> Set<Int64> {
        var ids: Set<Int64> = []
        var page = 1
        while page <= 100 {
            let rows = try await services.pipelines.pipelines(
                project: ProjectID(project), visible: .all, text: nil, page: page, perPage: 100)
            ids.formUnion(rows.items.map(\.id.rawValue))
            guard rows.items.count == 100 else { break }
            page += 1
        }
        return ids
    }

    @Sendable private func trends(_ call: Call) async throws -> Reply {
        let reading = try reading()
        let keys = try await keys(call)
        let (window, range) = try await range(call)
        var sums: [Int64: StatFigures] = [:]
        for key in keys {
            for point in try await reading.trend(key, step: window.step, from: range.from, to: range.to) {
                sums[point.at, default: StatFigures()].merge(point.figures)
            }
        }
        let points = sums.sorted { $0.key < $1.key }
        return .json(capacity: 1024 + points.count * 320) { json in
            json.object { json in
                json.field("window", window.rawValue)
                json.field("step", window.step == .hour ? "hour" : "day")
                json.name("points")
                json.array(points) { json, point in
                    json.object { json in
                        json.field("at", time: point.key)
                        AnalyticsJSON.members(point.value, &json)
                    }
                }
            }
        }
    }

    @Sendable private func api(_ call: Call) async throws -> Reply {
        let reading = try reading()
        let (window, range) = try await range(call)
        let rows = try await reading.busiest(.route, ids: nil, from: range.from, to: range.open, limit: 200)
        return .json(capacity: 16_384) { json in
            json.object { json in
                json.field("window", window.rawValue)
                json.field("from", time: range.from)
                json.field("to", time: range.to)
                json.name("routes")
                json.array(rows) { json, row in
                    json.object { json in
                        json.field("operation", row.key.name)
                        json.field("requests", row.figures.total)
                        json.field("refused", row.figures.cancelled)
                        json.field("failed", row.figures.failed)
                        json.name("duration_us")
                        AnalyticsJSON.sketch(row.figures.durations, &json)
                    }
                }
            }
        }
    }
}

enum AnalyticsJSON {
    static func members(_ figures: StatFigures, _ json: inout JSONWriter) {
        json.field("total", figures.total)
        json.field("success", figures.success)
        json.field("failed", figures.failed)
        json.field("cancelled", figures.cancelled)
        json.field("skipped", figures.skipped)
        json.field("success_rate", figures.successRate)
        json.name("duration_ms")
        sketch(figures.durations, &json)
        json.name("queue_ms")
        sketch(figures.queues, &json)
    }

    static func sketch(_ sketch: DurationSketch, _ json: inout JSONWriter) {
        json.object { json in
            json.field("count", sketch.count)
            json.field("mean", sketch.mean)
            json.field("p50", sketch.quantile(0.5))
            json.field("p95", sketch.quantile(0.95))
        }
    }

    static func row(_ row: StatRow, _ json: inout JSONWriter) {
        json.object { json in
            json.field("id", row.key.id)
            json.field("name", row.title)
            json.field("step", row.key.scope == .step ? row.key.name : nil)
            members(row.figures, &json)
        }
    }
}
