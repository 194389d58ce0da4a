import AnsFlowProtocol
import ControllerCore
import HTTPTypes

/// Environments that jobs deploy to, and what was deployed.
struct EnvironmentRoutes {
    let services: HTTPServices

    var routes: [Route] {
        let path = "/api/v1/projects/{id}/environments"
        return [
            Route(
                .get, path, .read, "listEnvironments", "Environments of a project with what is deployed", role: .viewer,
                query: Query.pagingIfWanted,
                describes: Description(.environments, answers: [.whole(of: Schemas.environment)]), handler: list),
            Route(
                .get, path + "/{environment}/deployments", .read, "listDeployments",
                "What was deployed to an environment, newest first", role: .viewer, query: Query.paging,
                describes: Description(.environments, answers: [.page(of: Schemas.deployment)]), handler: history),
        ]
    }

    private func deployments() throws -> any DeploymentQueries {
        guard let found = services.deployments else {
            throw Problem.unavailable("Deployments can't be listed here.")
        }
        return found
    }

    @Sendable private func list(_ call: Call) async throws -> Reply {
        let project = ProjectID(try call.id(what: "project"))
        try await call.allow(in: project)
        let all = try await deployments().environments(of: project)
        return try ListJSON.whole(all, call) { json, environment in
            json.object { json in
                json.field("name", environment.name)
                json.name("newest")
                Self.write(environment.newest, &json)
                json.name("current")
                if let current = environment.current { Self.write(current, &json) } else { json.null() }
            }
        }
    }

    @Sendable private func history(_ call: Call) async throws -> Reply {
        let project = ProjectID(try call.id(what: "project"))
        try await call.allow(in: project)
        let name = call.parameters[1]
        let (page, perPage) = try call.query.page()
        let found = try await deployments().deployments(to: name, of: project, page: page, perPage: perPage)
        if found.total == 0 { throw Problem.notFound("Nothing was deployed to such an environment.") }
        let path = "/api/v1/projects/\(project)/environments/\(PercentCode.encode(name))/deployments"
        return ListJSON.reply(found, number: page, perPage: perPage, path: path) { Self.write($1, &$0) }
    }

    private static func write(_ view: DeploymentView, _ json: inout JSONWriter) {
        let (job, run) = (view.job, view.run)
        json.object { json in
            json.field("run_id", run.id.rawValue)
            json.field("run_number", run.number)
            json.field("pipeline_id", run.pipeline.rawValue)
            json.field("pipeline_name", run.pipelineName)
            json.field("job", job.name)
            json.field("status", Status(phase: job.phase, outcome: job.outcome).rawValue)
            json.field("phase", job.phase.rawValue)
            json.field("result", job.outcome?.rawValue)
            json.field("cause", job.cause?.rawValue)
            json.field("message", job.message)
            json.field("ref", run.ref)
            json.field("branch", run.branch)
            json.field("tag", run.tag)
            json.field("commit", run.commit)
            json.field("event", run.event)
            json.field("actor", run.actor)
            json.field("agent", view.agent)
            json.field("attempts", job.attempts)
            json.field("started_at", time: job.startedAt)
            json.field("finished_at", time: job.finishedAt)
            json.name("approval")
            guard let approval = view.approval else { return json.null() }
            json.object { ApprovalJSON.members(approval, job: job.name, plan: nil, clock: nil, &$0) }
        }
    }
}
