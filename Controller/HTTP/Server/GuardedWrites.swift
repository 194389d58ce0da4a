import HTTPTypes

/// `If-Match` for things that keep no number of their version: the tag of what their GET gives is compared while nobody else changes them.
/// All writes to such an address and to those one below it take their turn here, those without the header too; nothing but requests
/// changes what these tags tell.
///
/// Waiting tasks are connections' requests, whose number is limited.
actor GuardedWrites {
    private var waiting: [String: [CheckedContinuation<Void, Never>]] = [:]
    /// Paths of routes, with their parameters' names.
    private let places: Set<String>

    init(_ routes: [Route]) {
        places = Set(routes.filter { $0.describes?.comparesTag == true }.map(\.path))
    }

    /// What is to be alone for a request; nil where nothing is.
    nonisolated func key(of route: Route, _ path: RequestPath) -> String? {
        guard route.method != .get, !places.isEmpty else { return nil }
        if places.contains(route.path) { return path.segments.joined(separator: "/") }
        let parent = route.path.prefix(upTo: route.path.lastIndex(of: "/") ?? route.path.startIndex)
        return places.contains(String(parent)) ? path.segments.dropLast().joined(separator: "/") : nil
    }

    /// Runs `body` while no other one with the same path runs.
    nonisolated func alone<Value: Sendable>(
        _ path: String, _ body: @Sendable () async throws -> Value
    ) async throws -> Value {
        await enter(path)
        do {
            let value = try await body()
            await leave(path)
            return value
        } catch {
            await leave(path)
            throw error
        }
    }

    private func enter(_ path: String) async {
        guard waiting[path] != nil else {
            waiting[path] = []
            return
        }
        await withCheckedContinuation { waiting[path]?.append($0) }
    }

    private func leave(_ path: String) {
        guard var queue = waiting[path], !queue.isEmpty else {
            waiting[path] = nil
            return
        }
        let next = queue.removeFirst()
        waiting[path] = queue
        next.resume()
    }
}

extension EntityTag {
    /// A tag of two parts: what people set, and all that is shown. `If-Match` looks at the first, so that a figure that moves by itself
    /// hinders nobody.
    static func of(settings: String, shown: String) -> String {
        "\"\(settings.filter { $0 != "\"" }).\(shown.filter { $0 != "\"" })\""
    }

    /// Whether an `If-Match` names `tag`, by the part that people set. Weak tags match nothing, as RFC 9110 asks for.
    static func allows(_ header: String, _ tag: String) -> Bool {
        header.split(separator: ",").contains { part in
            let text = part.filter { $0 != " " && $0 != "\t" }
            return !text.hasPrefix("W/") && settings(text) == settings(tag)
        }
    }

    private static func settings(_ tag: String) -> Substring {
        tag.filter { $0 != "\"" }.prefix { $0 != "." }
    }
}

extension Dispatcher {
    /// Holds a write against its `If-Match`, where its route has no version that the store compares.
    func guarded(_ route: Route, _ call: Call, _ path: RequestPath) async throws -> Reply {
        guard let key = writes.key(of: route, path) else { return try await route.handler(call) }
        return try await writes.alone(key) {
            if route.describes?.comparesTag == true, let header = call.headers[.ifMatch], header != "*",
                case .route(let index, _) = table.match(.get, path)
            {
                let shown = table.routes[index]
                var look = call
                look.method = .get
                look.query = Query()
                look.role = shown.role
                let now = try await shown.handler(look)
                guard let tag = now.etag ?? now.buffer.map(EntityTag.of), EntityTag.allows(header, tag) else {
                    throw Problem(
                        412, "Precondition failed",
                        "It was changed since this `ETag` was read. Read it again and repeat.")
                }
            }
            return try await route.handler(call)
        }
    }
}
