import AnsFlowProtocol
import ControllerCore
import HTTPTypes

/// What is kept and what goes.
struct RetentionRoutes {
    let services: HTTPServices

    var routes: [Route] {
        guard let retention = services.retention else { return [] }
        let run = RunRoutes.path + "/{id}"
        return [
            Route(
                .delete, run, .write, "deleteRun", "Delete an ended run with its logs, artifacts and test results",
                role: .maintainer,
                describes: Description(
                    .runs, "From the answer on nobody can read it; its files go at once, its rows in pieces.",
                    answers: [.noContent], problems: [409])
            ) { try await delete($0, retention) },
            Route(
                .get, run + "/pin", .read, "getRunPin", "Whether the run is kept for good", role: .viewer,
                describes: Description(.runs, answers: [.ok(.component(Schemas.runPin))])
            ) { try await get($0, retention) },
            Route(
                .put, run + "/pin", .write, "pinRun", "Keep the run for good, whatever retention says",
                role: .maintainer,
                body: ["application/json"],
                describes: Description(
                    .runs, takes: .optional(.input(["note": .text(0...1024)]), example: "{\"note\":\"The release.\"}"),
                    answers: [.ok(.component(Schemas.runPin))], problems: [409], comparesTag: true)
            ) { try await pin($0, retention) },
            Route(
                .delete, run + "/pin", .write, "unpinRun", "Leave the run to retention again", role: .maintainer,
                describes: Description(.runs, answers: [.noContent], comparesTag: true)
            ) { try await unpin($0, retention) },
            Route(
                .post, "/api/v1/system/retention", .admin, "applyRetention",
                "Remove what is older or more than the settings say, or only list it",
                query: [
                    QueryParameter("dry_run", "Remove nothing, only say what would go", .flag, default: "false")
                ],
                describes: Description(.system, answers: [.ok(.component(Schemas.retentionReport))])
            ) { try await apply($0, retention) },
        ]
    }

    private func known(_ call: Call) async throws -> RunRow {
        guard let run = try await services.queries.run(RunID(call.id(what: "run"))) else {
            throw Problem.notFound("There is no such run.")
        }
        try await call.allow(in: run.project, what: "run")
        return run
    }

    private func refusals<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let refusal as RunDeletionRefusal {
            switch refusal {
            case .notFound: throw Problem.notFound("There is no such run.")
            case .refused(let text): throw Problem.conflict(text)
            }
        }
    }

    private func delete(_ call: Call, _ retention: any RetentionService) async throws -> Reply {
        let run = try await known(call)
        try await refusals { try await retention.deleteRun(run.id, by: call.principal.name) }
        return .noContent
    }

    private func get(_ call: Call, _ retention: any RetentionService) async throws -> Reply {
        let run = try await known(call)
        return Self.reply(try await retention.pin(of: run.id))
    }

    private func pin(_ call: Call, _ retention: any RetentionService) async throws -> Reply {
        let run = try await known(call)
        var fields = try call.optionalFields()
        let note = fields.string("note", max: 1024, isLine: true)
        try fields.finish()
        try await refusals { try await retention.pin(run.id, by: call.principal.name, note: note) }
        return Self.reply(try await retention.pin(of: run.id))
    }

    private func unpin(_ call: Call, _ retention: any RetentionService) async throws -> Reply {
        let run = try await known(call)
        try await retention.unpin(run.id)
        return .noContent
    }

    private static func reply(_ pin: RunPin?) -> Reply {
        .json { json in
            json.object { json in
                json.field("pinned", pin != nil)
                json.field("by", pin?.by)
                json.field("note", pin?.note)
                json.field("at", time: pin?.at)
            }
        }
    }

    private func apply(_ call: Call, _ retention: any RetentionService) async throws -> Reply {
        let report = try await retention.apply(dryRun: try call.query.flag("dry_run") ?? false)
        return .json(capacity: 4096) { RetentionJSON.report(report, &$0) }
    }
}

/// What a pass of retention did or would do, as callers get it.
enum RetentionJSON {
    static func report(_ report: RetentionReport, _ json: inout JSONWriter) {
        json.object { json in
            json.field("dry_run", report.dryRun)
            json.name("runs")
            part(report.runs, &json)
            json.name("logs")
            part(report.logs, &json)
            json.name("artifacts")
            part(report.artifacts, &json)
        }
    }

    private static func part(_ part: RetentionReport.Part, _ json: inout JSONWriter) {
        json.object { json in
            json.field("count", part.count)
            json.field("bytes", part.bytes)
            json.name("items")
            json.array(part.items) { json, item in
                json.object { json in
                    json.field("run_id", item.run.rawValue)
                    json.field("pipeline_id", item.pipeline.rawValue)
                    json.field("pipeline_name", item.pipelineName)
                    json.field("number", item.number)
                    json.field("finished_at", time: item.finishedAt)
                    json.field("reason", item.reason.rawValue)
                    json.field("bytes", item.bytes)
                }
            }
        }
    }
}
