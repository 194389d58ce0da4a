import Foundation
import TestSupport
import Testing

/// What a real controller says of itself.
@Suite struct ObserveTests {
    private static let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    @Test func whatWasDoneIsToldCountedAndTraced() async throws {
        try await Cluster.with { cluster in
            let pipeline = try cluster.createPipeline("told", Cluster.definition("echo trace=$TRACEPARENT"))
            let made = try cluster.api.request(
                "POST", "/api/v1/pipelines/\(pipeline)/runs", headers: ["traceparent": Self.trace],
                body: Array("{}".utf8))
            try #require(made.status == 201, "\(made.text)")
            let run = try #require(try made.json()["id"].int)
            let ended = try cluster.finish(run)
            #expect(ended["status"].text == "success")
            let log = String(decoding: try cluster.rawLog(run), as: UTF8.self)
            #expect(log.contains("trace=\(Self.trace)"))
            try Self.checkAudit(cluster, run: run)
            try Self.checkStatistics(cluster)
            try Self.checkMetrics(cluster)
        }
    }

    private static func checkAudit(_ cluster: Cluster, run: Int64) throws {
        let rows = try cluster.api.get("/api/v1/audit-logs?limit=1000")["items"].items
        let started = rows.filter { $0["operation"].text == "createRun" }
        #expect(started.count == 1)
        #expect(started.first?["object_id"].text == "\(run)" && started.first?["status"].int == 201)
        #expect(rows.contains { $0["operation"].text == "createPipeline" && $0["object_type"].text == "pipeline" })
        let verdict = try cluster.api.get("/api/v1/audit-logs/verify")
        #expect(verdict["ok"].isTrue && verdict["checked"].int == Int64(rows.count))
    }

    private static func checkStatistics(_ cluster: Cluster) throws {
        let overview = try cluster.api.get("/api/v1/analytics/overview?window=24h")
        #expect(overview["runs"]["total"].int == 1 && overview["runs"]["success"].int == 1)
        #expect(overview["runs"]["duration_ms"]["p50"].int != nil)
        #expect(overview["pipelines"][0]["name"].text == "told")
        #expect(overview["steps"].items.contains { $0["step"].text == "main/s" })
        #expect(overview["agents"].items.count == 1)
        let points = try cluster.api.get("/api/v1/analytics/trends?window=24h")["points"].items
        #expect(points.count == 24 && points.reduce(0) { $0 + ($1["total"].int ?? 0) } == 1)
    }

    /// The names that are served and those that docs/metrics.md lists are the same.
    private static func checkMetrics(_ cluster: Cluster) throws {
        let answer = try cluster.api.request("GET", "/metrics")
        let lines = String(decoding: answer.body, as: UTF8.self).split(separator: "\n")
        let served = Set(lines.filter { $0.hasPrefix("# TYPE ") }.map { $0.dropFirst(7).description })
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(contentsOf: root.appending(path: "docs/metrics.md"), encoding: .utf8)
        let listed = Set(
            page.split(separator: "\n").filter { $0.hasPrefix("| `") }.map { row in
                let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
                return "\(cells[0].replacing("`", with: "")) \(cells[1])"
            })
        #expect(served.subtracting(listed).isEmpty, "not in docs/metrics.md")
        #expect(listed.subtracting(served).isEmpty, "not served")
        for line in lines where !line.hasPrefix("#") {
            let value = line.split(separator: " ").last.flatMap { Double($0) }
            #expect(value != nil, "\(line)")
        }
    }
}
