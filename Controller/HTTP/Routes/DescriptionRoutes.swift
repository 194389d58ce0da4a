import ControllerCore
import HTTPTypes
import NIOCore

/// The interface's description of itself.
struct DescriptionRoutes {
    let shared: SharedParts

    var routes: [Route] {
        [
            Route(
                .get, "/openapi.json", .public, "openAPI", "This description, as OpenAPI 3.1",
                describes: Description(
                    .system, answers: [.ok(.anything, example: "{\"openapi\":\"3.1.0\"}")]), handler: openAPI)
        ]
    }

    @Sendable private func openAPI(_ call: Call) async throws -> Reply {
        shared.openAPI
    }
}
