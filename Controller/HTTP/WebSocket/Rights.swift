import AnsFlowProtocol
import ControllerCore
import ControllerRealtime

/// What one viewer may see now.
struct Rights: ViewerAccess {
    let services: HTTPServices
    let principal: Principal

    func visibility(of topic: Topic) async throws -> Visibility? {
        let access = try await services.access.access(of: principal)
        let project: ProjectID?
        switch topic {
        case .system: return access.visibility
        case .run(let id): project = try await services.queries.run(id)?.project
        case .project(let id): project = try await services.projects?.project(id)?.id
        case .pipeline(let id): project = try await services.pipelines.pipeline(id)?.project
        }
        guard let project, access.verdict(.viewer, in: project) == .allowed else { return nil }
        return .only([project])
    }
}
