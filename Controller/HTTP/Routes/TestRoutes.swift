import AnsFlowProtocol
import ControllerCore
import HTTPTypes

/// Test results of runs, and the history of one test.
struct TestRoutes {
    let services: HTTPServices

    var routes: [Route] {
        [
            Route(
                .get, RunRoutes.path + "/{id}/tests", .read, "runTests", "Test results of a run, failed ones first",
                role: .viewer,
                query: Query.paging + [
                    QueryParameter("job", "Only of this job"),
                    QueryParameter("outcome", "Only of this outcome", .choice(TestOutcome.self)),
                    QueryParameter("q", "Part of suite, class or name"),
                ], describes: Description(.tests, answers: [.ok(.component(Schemas.runTests))]), handler: list),
            Route(
                .get, "/api/v1/pipelines/{id}/tests/{test}", .read, "testHistory",
                "The newest results of one test in a pipeline's runs", role: .viewer,
                query: [QueryParameter("limit", "At most so many", .integer(1...1000), default: "50")],
                parameters: ["test": .id],
                describes: Description(.tests, answers: [.ok(.component(Schemas.testHistory))]), handler: history),
        ]
    }

    private func tests() throws -> any TestReading {
        guard let tests = services.tests else { throw Problem.unavailable("Test results are not kept here.") }
        return tests
    }

    @Sendable private func list(_ call: Call) async throws -> Reply {
        let (page, perPage) = try call.query.page()
        let id = RunID(try call.id(what: "run"))
        var filter = TestFilter(job: call.query.text("job"), text: call.query.text("q"))
        filter.outcome = call.query.text("outcome").flatMap(TestOutcome.init(rawValue:))
        guard let run = try await services.queries.run(id) else { throw Problem.notFound("There is no such run.") }
        try await call.allow(in: run.project, what: "run")
        let rows = try await tests().tests(of: id, filter, page: page, perPage: perPage)
        let summary = try await tests().testSummary(of: id)
        var query = ""
        for (name, value) in [("job", filter.job), ("outcome", filter.outcome?.rawValue), ("q", filter.text)] {
            if let value { query += "\(name)=\(PercentCode.encode(value))&" }
        }
        var reply = Reply.json(capacity: 1024 + rows.items.count * 256) { json in
            json.object { json in
                json.name("items")
                json.array(rows.items) { Self.write($1, &$0) }
                json.field("page", page)
                json.field("per_page", perPage)
                json.field("total", rows.total)
                json.name("summary")
                Self.write(summary, &json)
            }
        }
        reply.headers[.link] = ListJSON.link(
            total: rows.total, number: page, perPage: perPage, path: "\(RunRoutes.path)/\(id)/tests", query: query)
        return reply
    }

    private static func write(_ row: TestRow, _ json: inout JSONWriter) {
        json.object { json in
            json.field("id", row.test)
            json.field("job", row.job)
            json.field("step", row.step)
            json.field("report", row.report)
            json.field("suite", row.result.suite)
            json.field("class", row.result.className)
            json.field("name", row.result.name)
            json.field("outcome", row.result.outcome.rawValue)
            json.field("duration_ms", row.result.durationMs)
            json.field("message", row.result.message)
        }
    }

    private static func write(_ summary: TestSummary, _ json: inout JSONWriter) {
        json.object { json in
            json.field("total", summary.total)
            json.field("passed", summary.passed)
            json.field("failed", summary.failed)
            json.field("error", summary.errors)
            json.field("skipped", summary.skipped)
            json.field("duration_ms", summary.durationMs)
            json.field("faults", summary.faults)
        }
    }

    @Sendable private func history(_ call: Call) async throws -> Reply {
        let pipeline = PipelineID(try call.id(what: "pipeline"))
        let limit = try call.query.integer("limit", 1...1000) ?? 50
        guard let row = try await services.pipelines.pipeline(pipeline) else {
            throw Problem.notFound("There is no such pipeline.")
        }
        try await call.allow(in: row.project, what: "pipeline")
        guard
            let (test, results) = try await tests().testHistory(
                call.id(1, what: "test"), of: pipeline, limit: Int(limit))
        else { throw Problem.notFound("The pipeline has no such test.") }
        return .json { json in
            json.object { json in
                json.field("suite", test.suite)
                json.field("class", test.className)
                json.field("name", test.name)
                json.name("items")
                json.array(results) { json, row in
                    json.object { json in
                        json.field("execution_id", row.run.rawValue)
                        json.field("run_number", row.runNumber)
                        json.field("branch", row.branch)
                        json.field("job", row.job)
                        json.field("outcome", row.outcome.rawValue)
                        json.field("duration_ms", row.durationMs)
                        json.field("message", row.message)
                        json.field("at", time: row.at)
                    }
                }
                json.field("total", results.count)
            }
        }
    }
}
