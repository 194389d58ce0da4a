import AnsFlowProtocol
import ControllerCore
import HTTPTypes
import NIOCore

/// The schedules that a pipeline's definition names.
struct ScheduleRoutes {
    let services: HTTPServices

    private static let nextDefault = 5

    var routes: [Route] {
        let path = "/api/v1/pipelines/{id}/schedules"
        return [
            Route(
                .get, path, .read, "listSchedules", "Schedules of a pipeline with their next times", role: .viewer,
                query: Query.pagingIfWanted + [
                    QueryParameter("next", "How many times to come of each", .integer(0...100), default: "5")
                ],
                describes: Description(.schedules, answers: [.whole(of: Schemas.schedule)]), handler: list),
            Route(
                .get, path + "/{name}", .read, "getSchedule", "One schedule of a pipeline with its next times",
                role: .viewer,
                describes: Description(.schedules, answers: [.ok(.component(Schemas.schedule))]), handler: get),
            Route(
                .patch, path + "/{name}", .write, "updateSchedule", "Switch a schedule off or on", role: .maintainer,
                body: ["application/json"],
                describes: Description(
                    .schedules,
                    takes: .init(.input(["enabled": .flag], required: ["enabled"]), example: "{\"enabled\":false}"),
                    answers: [.ok(.component(Schemas.schedule))], comparesTag: true), handler: change),
        ]
    }

    private func find(_ call: Call) async throws -> (PipelineRow, any ScheduleManaging) {
        guard let row = try await services.pipelines.pipeline(PipelineID(call.id(what: "pipeline"))) else {
            throw Problem.notFound("There is no such pipeline.")
        }
        try await call.allow(in: row.project, what: "pipeline")
        guard let schedules = services.schedules else { throw Problem.unavailable("Nothing runs by time here.") }
        return (row, schedules)
    }

    @Sendable private func list(_ call: Call) async throws -> Reply {
        let count = Int(try call.query.integer("next", 0...100) ?? Int64(Self.nextDefault))
        let (pipeline, schedules) = try await find(call)
        let items = try await schedules.schedules(of: pipeline, count: count)
        return try ListJSON.whole(items, call) { Self.write($1, &$0) }
    }

    @Sendable private func get(_ call: Call) async throws -> Reply {
        let (pipeline, schedules) = try await find(call)
        let all = try await schedules.schedules(of: pipeline, count: Self.nextDefault)
        guard let view = all.first(where: { $0.row.name == call.parameters[1] }) else {
            throw Problem.notFound("The pipeline's definition has no such schedule.")
        }
        var reply = Reply.json { Self.write(view, &$0) }
        // The next times move by themselves; what people set is whether it is on, and what the definition says.
        let set = "\(view.row.at) \(view.row.zone) \(view.missed.rawValue) \(view.row.enabled)"
        reply.etag = reply.buffer.map {
            EntityTag.of(settings: EntityTag.of(ByteBuffer(string: set)), shown: EntityTag.of($0))
        }
        return reply
    }

    @Sendable private func change(_ call: Call) async throws -> Reply {
        var fields = try call.fields()
        let enabled = fields.bool("enabled")
        if enabled == nil { fields.wrong("enabled", "Give true or false.") }
        try fields.finish()
        let (pipeline, schedules) = try await find(call)
        let name = call.parameters[1]
        guard let view = try await schedules.setEnabled(enabled ?? true, name, of: pipeline) else {
            throw Problem.notFound("The pipeline's definition has no such schedule.")
        }
        return .json { Self.write(view, &$0) }
    }

    private static func write(_ view: ScheduleView, _ json: inout JSONWriter) {
        json.object { json in
            json.field("name", view.row.name)
            json.field("at", view.row.at)
            json.field("zone", view.row.zone)
            json.field("missed", view.missed.rawValue)
            json.field("enabled", view.row.enabled)
            json.field("active", view.isActive)
            json.name("next")
            json.array(view.next) { $0.string(Timestamp.text($1)) }
            json.field("last_slot", time: view.row.lastSlot)
            json.field("last_run_id", view.row.lastRun?.rawValue)
            json.field("error", view.row.error)
            json.field("error_at", time: view.row.errorAt)
        }
    }
}
