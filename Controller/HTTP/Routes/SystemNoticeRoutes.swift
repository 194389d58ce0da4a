import AnsFlowProtocol
import ControllerCore
import ControllerRealtime
import HTTPTypes

/// Words of an administrator to everybody.
struct SystemNoticeRoutes {
    let services: HTTPServices
    let configuration: HTTPConfiguration

    var routes: [Route] {
        [
            Route(
                .post, "/api/v1/system/notify", .admin, "notifySystem",
                "Tell everybody something: who watches /ws/system gets it now, others find it among their notices",
                body: ["application/json"],
                describes: Description(
                    .notices, takes: Schemas.newSystemNotice,
                    answers: [.created(.component(Schemas.systemNotice), at: false)]), handler: notify)
        ]
    }

    @Sendable private func notify(_ call: Call) async throws -> Reply {
        var fields = try call.fields()
        let title = fields.required("title", max: 200, isLine: true)
        let message = fields.string("message", max: 4_000) ?? ""
        try fields.finish()
        guard let notices = services.notices else { throw Problem.unavailable("There are no notices here.") }
        let now = configuration.now()
        let notice = Notice(.system, title: title, message: message, at: now, actor: call.principal.name)
        // Durable before anybody is told. The request's own id makes the key unique.
        guard let id = try await notices.add(notice, key: "system:\(now):\(call.requestID)") else {
            throw Problem.conflict("This request was made before.")
        }
        services.hub.announce("system_notice", on: .system) { Self.write(id, notice, &$0) }
        return .json(.created) { Self.write(id, notice, &$0) }
    }

    private static func write(_ id: Int64, _ notice: Notice, _ json: inout JSONWriter) {
        json.object { json in
            json.field("id", id)
            NoticeJSON.notice(notice, &json)
        }
    }
}
