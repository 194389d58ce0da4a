import AnsFlowProtocol
import ControllerCore
import HTTPTypes
import NIOCore

/// The web page's addresses. Each is checked like any other route, so that a deep link is answered with the right status; asked for as
/// JSON it gives what a page that is open already needs to show it.
struct PageRoutes {
    let services: HTTPServices
    let configuration: HTTPConfiguration
    let shell: Shell
    let inner: InnerCalls

    private static let query = "per_page=50"

    var routes: [Route] {
        var all = [
            page("/runs", "runsPage", "Executions", role: .viewer) { call in
                _ = call.visible
                return Boot("Executions", section: "/runs", data: ["/api/v1/pipeline-runs?\(Self.query)"])
            },
            page("/pipelines", "pipelinesPage", "Pipelines", role: .viewer) { call in
                let statuses = try await statuses(call, in: nil)
                return Boot(
                    "Pipelines", section: "/pipelines", data: ["/api/v1/pipelines?per_page=100"] + statuses)
            },
            page("/projects", "projectsPage", "Projects", role: .viewer) { call in
                _ = call.visible
                return Boot("Projects", section: "/projects", data: ["/api/v1/pipelines?per_page=100"])
            },
            page("/agents", "agentsPage", "Agents") { _ in
                Boot("Agents", section: "/agents", data: ["/api/v1/agents"])
            },
            page("/agents/{id}", "agentPage", "One agent", handler: agent),
            page("/queue", "queuePage", "What waits, and why") { _ in
                Boot(
                    "Queue", section: "/queue",
                    data: ["pending", "blocked", "running"].map { "/api/v1/pipeline-runs?per_page=20&status=\($0)" })
            },
            page("/me", "mePage", "One's own account", .authenticated) { _ in Boot("Account", section: "/me") },
            page("/me/{tab}", "accountPage", "A part of one's own account", .authenticated) { _ in
                Boot("Account", section: "/me")
            },
            page("/p/{project}", "projectPage", "One project", role: .viewer, handler: project),
            page("/p/{project}/-/{tab}", "projectPartPage", "A part of a project", role: .viewer, handler: projectPart),
            page("/p/{project}/{pipeline}", "pipelinePage", "One pipeline", role: .viewer, handler: pipeline),
            page(
                "/p/{project}/{pipeline}/{tab}", "pipelinePartPage", "A pipeline's editor, versions or settings",
                role: .viewer, handler: pipelinePart),
            page(
                "/p/{project}/{pipeline}/runs/{number}", "runPage", "One run", role: .viewer, problems: [410],
                handler: run),
        ]
        all += [
            redirect("/executions", "executionsPage") { _ in "/runs" },
            redirect("/executions/{id}", "executionPage", handler: runAddress),
        ]
        for index in all.indices {
            switch all[index].path {
            case "/me/{tab}":
                all[index].parameters["tab"] = .choice([
                    "profile", "tokens", "sessions", "notifications", "preferences",
                ])
            case "/p/{project}/-/{tab}":
                all[index].parameters["tab"] = .choice([
                    "settings", "members", "secrets", "environments", "hooks", "notifications",
                ])
            case "/p/{project}/{pipeline}/{tab}":
                all[index].parameters["tab"] = .choice(["edit", "history", "settings"])
            case "/p/{project}/{pipeline}/runs/{number}": all[index].parameters["number"] = .id
            default: break
            }
            all[index].isPage = true
            all[index].acceptsEncodedSlash = true
        }
        return all
    }

    private func page(
        _ path: String, _ operation: String, _ summary: String, _ permission: Permission = .read, role: Role? = nil,
        problems: [Int] = [], handler: @escaping @Sendable (Call) async throws -> Boot
    ) -> Route {
        Route(
            .get, path, permission, operation, "The page: \(summary)", role: role,
            describes: Description(
                .pages, "With `Accept: application/json`, what the page is made of.",
                answers: [.content("text/html"), .content("application/json")], problems: problems)
        ) { call in try await answer(call, try await handler(call)) }
    }

    private func redirect(
        _ path: String, _ operation: String, handler: @escaping @Sendable (Call) async throws -> String
    ) -> Route {
        Route(
            .get, path, .read, operation, "Leads to the page of runs, from an older address", role: .viewer,
            describes: Description(.pages, answers: [.seeOther])
        ) { call in
            _ = call.visible
            return LoginRoutes.seeOther(try await handler(call))
        }
    }

    static func wantsJSON(_ call: Call) -> Bool {
        let accept = call.headers[.accept] ?? ""
        return accept.contains(Reply.json) && !accept.contains("text/html")
    }

    /// A whole page, or only what it is made of.
    func answer(_ call: Call, _ boot: Boot) async throws -> Reply {
        let look = PageLook(cookie: call.headers[.cookie])
        let isPart = Self.wantsJSON(call)
        let me = AuthRoutes(services: services, configuration: configuration)
        let json = await boot.json(
            call, inner, user: isPart ? nil : { me.members(of: call, &$0) }, look: look, version: configuration.version,
            editor: shell.editor)
        if isPart {
            var reply = Reply.json(.init(bytes: json))
            reply.headers[.vary] = "Cookie, Accept"
            return reply
        }
        return shell.page(
            .ok, title: boot.title, look: look, current: boot.section, user: call.principal, boot: json,
            parts: boot.parts
        ) { html in
            html.element("div", ["class": "page"]) { html in
                html.element("h1", boot.title)
                html.element("div", ["class": "skeleton"], "")
            }
        }
    }

    // MARK: What addresses name

    @Sendable private func agent(_ call: Call) async throws -> Boot {
        let id = try call.id(what: "agent")
        guard let view = await services.commands.agent(AgentID(id)) else {
            throw Problem.notFound("There is no such agent.")
        }
        var boot = Boot(view.row.name, section: "/agents", data: ["/api/v1/agents/\(id)"])
        boot.place = [("agent", id)]
        return boot
    }

    /// The project that the path names, where the caller may know of it.
    private func project(named call: Call) async throws -> ProjectRow {
        let name = call.parameters[0]
        guard let projects = services.projects else { throw Problem.unavailable("Projects are not kept here.") }
        for page in 1...Self.pagesMax {
            let found = try await projects.projects(
                visible: call.visible, text: name, order: .name, page: page, perPage: 100)
            if let row = found.items.first(where: { $0.name == name }) {
                try await call.allow(.viewer, in: row.id)
                return row
            }
            if found.items.count < 100 { break }
        }
        throw Problem.notFound("There is no such project.")
    }

    /// Names that hold another name are looked through as far as this.
    private static let pagesMax = 20

    private func pipeline(named call: Call) async throws -> (ProjectRow, PipelineRow) {
        let project = try await project(named: call)
        let name = call.parameters[1]
        for page in 1...Self.pagesMax {
            let found = try await services.pipelines.pipelines(
                project: project.id, visible: call.visible, text: name, page: page, perPage: 100)
            if let row = found.items.first(where: { $0.name == name }) { return (project, row) }
            if found.items.count < 100 { break }
        }
        throw Problem.notFound("There is no such pipeline.")
    }

    @Sendable private func project(_ call: Call) async throws -> Boot {
        let row = try await project(named: call)
        let id = row.id.rawValue
        var boot = Boot(
            row.name, section: "/projects",
            data: [
                "/api/v1/projects/\(id)", "/api/v1/pipelines?project_id=\(id)&\(Self.query)",
                "/api/v1/pipeline-runs?project_id=\(id)&per_page=10",
            ] + (try await statuses(call, in: row.id)))
        boot.place = [("project", id)]
        boot.names = [("project_name", row.name)]
        return boot
    }

    /// How the pipelines stand that a list begins with; of the others it is asked for when they are seen.
    private func statuses(_ call: Call, in project: ProjectID?) async throws -> [String] {
        let found = try await services.pipelines.pipelines(
            project: project, visible: call.visible, text: nil, page: 1, perPage: Self.statusesMax)
        return found.items.map { "/api/v1/pipelines/\($0.id.rawValue)/status" }
    }

    private static let statusesMax = 20

    /// The smallest role that gets to see a part of a project.
    private static let roles: [String: Role] = ["secrets": .maintainer, "hooks": .maintainer]

    @Sendable private func projectPart(_ call: Call) async throws -> Boot {
        let row = try await project(named: call)
        let id = row.id.rawValue
        let tab = call.parameters[1]
        if let role = Self.roles[tab] { try await call.allow(role, in: row.id) }
        var boot = Boot("\(row.name): \(tab)", section: "/projects", data: ["/api/v1/projects/\(id)"])
        switch tab {
        case "settings": break
        case "notifications":
            boot.data += [
                "/api/v1/projects/\(id)/notification-targets", "/api/v1/notification-rules?project_id=\(id)",
                "/api/v1/pipelines?project_id=\(id)&per_page=100",
            ]
        default: boot.data.append("/api/v1/projects/\(id)/\(tab)")
        }
        boot.place = [("project", id)]
        boot.names = [("project_name", row.name)]
        return boot
    }

    private func place(_ boot: inout Boot, _ project: ProjectRow, _ pipeline: PipelineRow) {
        boot.place += [("project", project.id.rawValue), ("pipeline", pipeline.id.rawValue)]
        boot.names += [("project_name", project.name), ("pipeline_name", pipeline.name)]
    }

    @Sendable private func pipeline(_ call: Call) async throws -> Boot {
        let (project, row) = try await pipeline(named: call)
        let id = row.id.rawValue
        var boot = Boot(
            row.name, section: "/pipelines",
            data: [
                "/api/v1/pipelines/\(id)", "/api/v1/pipelines/\(id)/status",
                "/api/v1/pipeline-runs?pipeline_id=\(id)&per_page=50", "/api/v1/pipelines/\(id)/schedules",
            ])
        place(&boot, project, row)
        return boot
    }

    @Sendable private func pipelinePart(_ call: Call) async throws -> Boot {
        let (project, row) = try await pipeline(named: call)
        let id = row.id.rawValue
        let tab = call.parameters[2]
        var boot = Boot("\(row.name): \(tab)", section: "/pipelines", data: ["/api/v1/pipelines/\(id)"])
        if tab == "edit" { boot.parts = ["edit", "graph", "editor"] }
        if tab == "history" { boot.data.append("/api/v1/pipelines/\(id)/versions") }
        place(&boot, project, row)
        return boot
    }

    @Sendable private func run(_ call: Call) async throws -> Boot {
        let (project, pipeline) = try await pipeline(named: call)
        var filter = RunFilter()
        filter.pipeline = pipeline.id
        filter.number = Int(call.parameters[2])
        filter.visible = call.visible
        guard let run = try await services.queries.runs(filter, page: 1, perPage: 1).items.first else {
            // Numbers are given without gaps: one that was given and is not there was taken away.
            if let number = filter.number, number > 0,
                try await Int64(number) <= services.queries.lastNumber(of: pipeline.id)
            {
                throw Problem(
                    410, Problem.title(of: 410),
                    "Run #\(number) of \(pipeline.name) was deleted: by somebody, or when its time was over.")
            }
            throw Problem.notFound("This pipeline has no such run yet.")
        }
        let path = "/api/v1/pipeline-runs/\(run.id.rawValue)"
        var boot = Boot(
            "\(pipeline.name) #\(run.number)", section: "/runs", data: [path, path + "/graph"], parts: ["log", "graph"])
        boot.place = [("run", run.id.rawValue), ("number", Int64(run.number))]
        place(&boot, project, pipeline)
        return boot
    }

    @Sendable private func runAddress(_ call: Call) async throws -> String {
        guard let run = try await services.queries.run(RunID(call.id(what: "run"))) else {
            throw Problem.notFound("There is no such run.")
        }
        try await call.allow(.viewer, in: run.project, what: "run")
        guard let project = try await services.projects?.project(run.project) else {
            throw Problem.notFound("There is no such run.")
        }
        let names = [project.name, run.pipelineName].map(PercentCode.encode)
        return "/p/\(names[0])/\(names[1])/runs/\(run.number)"
    }
}

extension PageRoutes {
    /// The first page. Its address is public, since programs get something else there: so it finds its caller itself.
    func dashboard(_ call: Call) async throws -> Reply {
        guard let principal = await ProblemPages.principal(call.headers, services, configuration) else {
            throw Problem.unauthenticated
        }
        let access = try await services.access.access(of: principal)
        let call = call.by(principal, access)
        let boot = Boot(
            "Dashboard", section: "/",
            data: [
                "/api/v1/approvals?per_page=20", "/api/v1/pipeline-runs?per_page=20", "/api/v1/agents",
                "/api/v1/analytics/overview?window=7d", "/api/v1/analytics/trends?window=7d",
            ])
        return try await answer(call, boot)
    }
}
