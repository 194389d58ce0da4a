package import ArgumentParser

package struct StatsCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Counts, success rates, durations and queue times of what has ended.",
        discussion: """
            Examples:
              ansflow stats
              ansflow stats --window 30d --pipeline 3
              ansflow stats --window 24h --api
            """)

    private struct Sketch: Decodable, Sendable {
        var p50: Int64?
        var p95: Int64?
    }

    private struct Figures: Decodable, Sendable {
        var name: String?
        var step: String?
        var total: Int64
        var successRate: Double?
        var durationMs: Sketch
        var queueMs: Sketch
    }

    private struct Overview: Decodable, Sendable {
        var window: String
        var runs: Figures
        var projects: [Figures]
        var pipelines: [Figures]
        var steps: [Figures]
        var agents: [Figures]
    }

    private struct Route: Decodable, Sendable {
        var operation: String
        var requests: Int64
        var refused: Int64
        var failed: Int64
        var durationUs: Sketch
    }

    private struct Routes: Decodable, Sendable { var routes: [Route] }

    @OptionGroup package var connection: ConnectionOptions
    @Option(name: .long, help: "How far back: 24h, 7d, 30d, 90d or 365d.")
    package var window = "7d"
    @Option(name: .long, help: "Only this project, by its id.")
    package var project: Int64?
    @Option(name: .long, help: "Only this pipeline, by its id.")
    package var pipeline: Int64?
    @Flag(name: .long, help: "Of the controller's own routes instead of runs.")
    package var api = false

    package init() {}

    package func run() async throws {
        var query = [("window", window)]
        if !api {
            if let project { query.append(("project_id", String(project))) }
            if let pipeline { query.append(("pipeline_id", String(pipeline))) }
        }
        try await connection.withClient { client in
            let answer = try await client.get("/api/v1/analytics/" + (api ? "api" : "overview"), query: query)
            if connection.json { return ConnectionOptions.printJSON(answer) }
            if api {
                Self.show(try answer.decode(Routes.self))
            } else {
                Self.show(try answer.decode(Overview.self))
            }
        }
    }

    private static func show(_ routes: Routes) {
        var table = Table(["OPERATION", "REQUESTS", "REFUSED", "FAILED", "P50 US", "P95 US"])
        for route in routes.routes {
            table.add([
                route.operation, String(route.requests), String(route.refused), String(route.failed),
                number(route.durationUs.p50), number(route.durationUs.p95),
            ])
        }
        Terminal.print(table.text())
    }

    private static func show(_ overview: Overview) {
        var table = Table(["WHAT", "NAME", "COUNT", "SUCCESS", "P50 MS", "P95 MS", "QUEUE P50", "QUEUE P95"])
        func add(_ what: String, _ figures: Figures) {
            let rate = figures.successRate.map { "\(Int(($0 * 100).rounded())) %" } ?? "-"
            let name = [figures.name ?? "", figures.step ?? ""].filter { !$0.isEmpty }.joined(separator: ": ")
            table.add([
                what, name, String(figures.total), rate, number(figures.durationMs.p50), number(figures.durationMs.p95),
                number(figures.queueMs.p50), number(figures.queueMs.p95),
            ])
        }
        add("all runs", overview.runs)
        for row in overview.projects { add("project", row) }
        for row in overview.pipelines { add("pipeline", row) }
        for row in overview.steps { add("step", row) }
        for row in overview.agents { add("agent", row) }
        Terminal.print(table.text())
    }

    private static func number(_ value: Int64?) -> String { value.map { String($0) } ?? "-" }
}

package struct CacheCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "cache",
        abstract: "Show what the controller's caches hold and how well they do, or empty them.",
        discussion: """
            Emptying is never needed for right answers: what a commit changes is never served after it.

            Examples:
              ansflow cache
              ansflow cache --clear
            """)

    private struct Row: Decodable, Sendable {
        var name: String
        var hits: Int64
        var misses: Int64
        var hitRate: Double?
        var entries: Int64
        var bytes: Int64
        var bytesMax: Int64
        var evictions: Int64
    }

    private struct Listing: Decodable, Sendable { var caches: [Row] }

    @OptionGroup package var connection: ConnectionOptions
    @Flag(name: .long, help: "Empty all caches; administrators only.")
    package var clear = false

    package init() {}

    package func run() async throws {
        try await connection.withClient { client in
            if clear {
                _ = try await client.send("DELETE", "/api/v1/system/cache")
                if !connection.json { Terminal.note("All caches are empty.") }
                return
            }
            let answer = try await client.get("/api/v1/system/cache")
            if connection.json { return ConnectionOptions.printJSON(answer) }
            var table = Table(["CACHE", "HITS", "MISSES", "HIT RATE", "ENTRIES", "KIB", "OF KIB", "EVICTED"])
            for row in try answer.decode(Listing.self).caches {
                table.add([
                    row.name, String(row.hits), String(row.misses),
                    row.hitRate.map { "\(Int(($0 * 1000).rounded()) / 10) %" } ?? "-", String(row.entries),
                    String(row.bytes / 1024), String(row.bytesMax / 1024), String(row.evictions),
                ])
            }
            Terminal.print(table.text())
        }
    }
}
