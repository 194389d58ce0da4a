import ControllerRealtime
import HTTPTypes

/// The addresses of WebSockets, for whoever comes without asking for one. The upgrade itself is decided by ``UpgradeDecision``.
enum LiveRoutes {
    static let query = [
        QueryParameter("after", "Number of the last event that the viewer has", .integer(0...Int64.max)),
        QueryParameter("generation", "The generation that `after` belongs to", .integer(0...Int64.max)),
        QueryParameter("logs", "`1`, `0`, or an object of first lines by `job/step/attempt`", .text(max: 1024)),
        QueryParameter("token", "A one-use ticket"),
    ]

    static let routes: [Route] = [
        route("/ws", "liveMany", "Many topics on one WebSocket"),
        route("/ws/executions/{id}", "liveRun", "One run's events and log lines"),
        route("/ws/pipeline/{id}", "livePipeline", "Events of all runs of a pipeline"),
        route("/ws/project/{id}", "liveProject", "Events of all runs of a project"),
        route("/ws/system", "liveSystem", "Events of the whole service"),
    ]

    private static func route(_ path: String, _ operation: String, _ summary: String) -> Route {
        Route(
            .get, path, .read, operation, summary, query: query, acceptsTrailingSlash: true,
            describes: Description(.live, answers: [.switching], problems: [426])
        ) { _ in
            var reply = Problem(426, "Upgrade required", "This address speaks WebSocket only.").reply(requestID: "")
            reply.headers[.upgrade] = "websocket"
            return reply
        }
    }

    /// The topic that an address stands for; nil for `/ws`.
    static func topic(_ segments: [String]) -> (known: Bool, topic: Topic?) {
        guard segments.first == "ws" else { return (false, nil) }
        switch segments.count {
        case 1: return (true, nil)
        case 2 where segments[1] == "system": return (true, .system)
        case 3 where segments[1] == "executions": return (true, Topic("run:\(segments[2])"))
        case 3 where segments[1] == "pipeline": return (true, Topic("pipeline:\(segments[2])"))
        case 3 where segments[1] == "project": return (true, Topic("project:\(segments[2])"))
        default: return (false, nil)
        }
    }
}
