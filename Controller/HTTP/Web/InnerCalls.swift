import ControllerCore
import HTTPTypes
import NIOCore
import Synchronization

/// Answers of the interface's own GETs, for pages that carry their data with them: the same handler, the same checks, no second way.
final class InnerCalls: Sendable {
    private let held = Mutex<RouteTable?>(nil)

    func attach(_ table: RouteTable) { held.withLock { $0 = table } }

    /// - Parameters:
    ///   - target: path and query, as a client would send them.
    ///   - call: whose caller asks.
    /// - Returns: the JSON, or nil where it is refused or fails: then the client asks itself and is told why.
    func json(_ target: String, for call: Call) async -> ByteBuffer? {
        guard let table = held.withLock({ $0 }), let principal = call.caller else { return nil }
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let path = try? RequestPath(parts[0]), case .route(let index, let parameters) = table.match(.get, path)
        else { return nil }
        let route = table.routes[index]
        if let scope = route.permission.scope, !principal.scopes.contains(scope) { return nil }
        guard let query = try? Query(parts.count == 2 ? parts[1] : "", known: route.query) else { return nil }
        var inner = Call(
            method: .get, parameters: parameters, query: query, headers: HTTPFields(), body: ByteBuffer(),
            requestID: call.requestID, remote: call.remote, caller: principal, audit: nil, trace: call.trace)
        inner.role = route.role
        inner.access = call.access
        inner.authority = call.authority
        guard let reply = try? await route.handler(inner), reply.status == .ok, reply.contentType == Reply.json,
            route.role == nil || inner.grants.wereAsked
        else { return nil }
        return reply.buffer
    }
}
