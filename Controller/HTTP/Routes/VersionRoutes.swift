import AnsFlowProtocol
import ControllerCore
import HTTPTypes

/// Saved versions of a pipeline, and what differs between two of them.
struct VersionRoutes {
    let services: HTTPServices
    let configuration: HTTPConfiguration

    var routes: [Route] {
        let path = "/api/v1/pipelines/{id}/versions"
        let parameters: [String: ParameterKind] = ["version": .id, "other": .id]
        return [
            Route(
                .get, path, .read, "pipelineVersions", "Every saved version, newest first", role: .viewer,
                query: Query.paging,
                describes: Description(.pipelines, answers: [.page(of: Schemas.version)]), handler: list),
            Route(
                .get, path + "/{version}", .read, "pipelineVersion", "One saved version", role: .viewer,
                parameters: parameters,
                describes: Description(.pipelines, answers: [.ok(.component(Schemas.version))]), handler: get),
            Route(
                .get, path + "/{version}/diff/{other}", .read, "pipelineDifference",
                "What differs between two saved versions, from the first to the second", role: .viewer,
                parameters: parameters,
                describes: Description(
                    .pipelines,
                    "As unified text, and by job and step. `changes` is null where one of the two can't be read any more.",
                    answers: [.ok(.component(Schemas.difference))]), handler: difference),
        ]
    }

    private func versions(_ call: Call) async throws -> (pipeline: PipelineRow, versions: [PipelineVersion]) {
        guard let row = try await services.pipelines.pipeline(PipelineID(call.id(what: "pipeline"))) else {
            throw Problem.notFound("There is no such pipeline.")
        }
        try await call.allow(in: row.project, what: "pipeline")
        return (row, try await services.pipelines.versions(of: row.id))
    }

    private static func find(_ index: Int, _ call: Call, _ all: [PipelineVersion]) throws -> PipelineVersion {
        let number = try call.id(index, what: "version")
        guard let version = all.first(where: { Int64($0.version) == number }) else {
            throw Problem.notFound("The pipeline has no version \(number).")
        }
        return version
    }

    @Sendable private func list(_ call: Call) async throws -> Reply {
        let (number, perPage) = try call.query.page()
        let (row, versions) = try await versions(call)
        return ListJSON.reply(
            Page(slice: versions, number: number, perPage: perPage), number: number, perPage: perPage,
            path: "/api/v1/pipelines/\(row.id)/versions"
        ) { PipelineJSON.write($1, &$0) }
    }

    @Sendable private func get(_ call: Call) async throws -> Reply {
        let version = try Self.find(1, call, try await versions(call).versions)
        return .json { PipelineJSON.write(version, &$0) }
    }

    @Sendable private func difference(_ call: Call) async throws -> Reply {
        let (row, all) = try await versions(call)
        let (old, new) = (try Self.find(1, call, all), try Self.find(2, call, all))
        let text = TextDifference.unified(
            old.definition, new.definition, names: ("version \(old.version)", "version \(new.version)"))
        var changes: [PlanDifference]?
        if let before = plan(old, row), let after = plan(new, row) { changes = PlanDifference.between(before, after) }
        return .json(capacity: text.text.utf8.count + 1024) { json in
            json.object { json in
                json.field("from", old.version)
                json.field("to", new.version)
                json.field("added", text.added)
                json.field("removed", text.removed)
                json.field("text", text.text)
                json.name("changes")
                guard let changes else { return json.null() }
                json.array(changes) { json, change in
                    json.object { json in
                        json.field("kind", change.kind.rawValue)
                        json.field("job", change.job)
                        json.field("step", change.step)
                        json.field("what", change.what)
                    }
                }
            }
        }
    }

    private func plan(_ version: PipelineVersion, _ row: PipelineRow) -> RunPlan? {
        services.compiler.compile(
            CompileRequest(
                definition: version.definition, repositoryURL: row.repositoryURL,
                allowLocalRepositories: configuration.allowLocalRepositories, isDraft: true)
        ).plan
    }
}
