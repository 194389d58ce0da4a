import AnsFlowProtocol
import ControllerCore
import HTTPTypes

/// A log in blocks of a fixed number of lines, which never change once they are full: browsers and proxies may keep those.
struct LogBlockRoutes {
    let services: HTTPServices

    static let linesPerBlock: Int64 = 512
    /// A day. A backup that is restored may give an attempt's number to another one.
    private static let secondsMax = 86_400

    var routes: [Route] {
        let base = RunRoutes.path + "/{id}/steps/"
        return [
            route(base + "{step}/log/blocks/{block}", "stepLogBlock", ["step"]) { $0.parameters[1] },
            route(base + "{job}/{step}/log/blocks/{block}", "jobStepLogBlock", ["job", "step"]) {
                "\($0.parameters[1])/\($0.parameters[2])"
            },
        ]
    }

    private func route(
        _ path: String, _ operation: String, _ names: [String], _ step: @escaping @Sendable (Call) -> String
    ) -> Route {
        var kinds = Dictionary(uniqueKeysWithValues: names.map { ($0, ParameterKind.text(max: 512)) })
        kinds["block"] = .integer(0...Int64.max / Self.linesPerBlock - 1)
        return Route(
            .get, path, .read, operation, "\(Self.linesPerBlock) lines of a log", role: .viewer,
            query: [
                QueryParameter("attempt", "The step's attempt; without it the newest", .integer(1...Int64.max))
            ], acceptsEncodedSlash: names.count == 1, parameters: kinds,
            describes: Description(
                .logs,
                "Blocks count from 0. A full one of a named `attempt` never changes, and its `Cache-Control` says so.",
                answers: [.ok(.component(Schemas.logPage))], problems: [409, 410])
        ) { try await block($0, step($0)) }
    }

    private func block(_ call: Call, _ step: String) async throws -> Reply {
        guard let number = call.parameters.last.flatMap({ Int64($0) }) else { throw Problem.notFound() }
        let row = try await LogRoutes(services: services).kept(call, step)
        let first = UInt64(number * Self.linesPerBlock + 1)
        let page = try await LogRoutes.reading {
            try await services.logs.lines(row.id, from: first, count: Int(Self.linesPerBlock))
        }
        guard number == 0 || !page.lines.isEmpty else { throw Problem.notFound("The log has no such block yet.") }
        var reply = LogRoutes.json(page, row)
        let isFull = page.lines.count == Self.linesPerBlock && page.lines.last?.partial == false
        // Totals go on growing beside a block that is full: what stays is only promised of a log that is whole.
        let isWhole = page.info.complete && page.info.holes.isEmpty
        if isFull, isWhole, call.query.text("attempt") != nil {
            reply.headers[.cacheControl] = "private, max-age=\(Self.secondsMax), immutable"
        }
        return reply
    }
}
