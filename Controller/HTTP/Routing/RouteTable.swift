package import HTTPTypes

/// All routes, found by segments. A literal segment goes before a parameter.
package struct RouteTable: Sendable {
    package enum Match: Sendable {
        case route(Int, parameters: [String])
        /// The path is there, with other methods.
        case wrongMethod(allow: String)
        case notFound
    }

    private final class Node: Sendable {
        let literals: [String: Node]
        let parameter: Node?
        /// Indexes of the routes that end here, by method.
        let routes: [String: Int]

        init(literals: [String: Node], parameter: Node?, routes: [String: Int]) {
            self.literals = literals
            self.parameter = parameter
            self.routes = routes
        }
    }

    package let routes: [Route]
    private let root: Node

    /// - Precondition: No two routes have the same method and form of path.
    package init(_ routes: [Route]) {
        self.routes = routes
        let entries = routes.enumerated().map { index, route in
            (segments: route.path.split(separator: "/").map(String.init)[...], index: index)
        }
        root = Self.build(entries, routes)
    }

    private static func build(_ entries: [(segments: ArraySlice<String>, index: Int)], _ routes: [Route]) -> Node {
        var ends: [String: Int] = [:]
        var literals: [String: [(segments: ArraySlice<String>, index: Int)]] = [:]
        var parameters: [(segments: ArraySlice<String>, index: Int)] = []
        for entry in entries {
            guard let first = entry.segments.first else {
                let method = routes[entry.index].method.rawValue
                precondition(ends[method] == nil, "two routes for \(method) \(routes[entry.index].path)")
                ends[method] = entry.index
                continue
            }
            let rest = (entry.segments.dropFirst(), entry.index)
            if first.hasPrefix("{") { parameters.append(rest) } else { literals[first, default: []].append(rest) }
        }
        return Node(
            literals: literals.mapValues { build($0, routes) },
            parameter: parameters.isEmpty ? nil : build(parameters, routes), routes: ends)
    }

    package func match(_ method: HTTPRequest.Method, _ path: RequestPath) -> Match {
        var parameters: [String] = []
        guard let node = find(root, path.segments[...], &parameters) else { return .notFound }
        let usable = node.routes.filter { !path.hasTrailingSlash || routes[$0.value].acceptsTrailingSlash }
            .filter { !path.hasEncodedSlash || routes[$0.value].acceptsEncodedSlash }
        if usable.isEmpty { return .notFound }
        // HEAD is GET without the body.
        if let index = usable[method.rawValue] ?? (method == .head ? usable["GET"] : nil) {
            return .route(index, parameters: parameters)
        }
        var allowed = Set(usable.keys)
        if allowed.contains("GET") { allowed.insert("HEAD") }
        return .wrongMethod(allow: allowed.sorted().joined(separator: ", "))
    }

    /// Whether something is at `path` that takes `method`.
    func allows(_ method: HTTPRequest.Method, _ path: RequestPath) -> Bool {
        if case .route = match(method, path) { true } else { false }
    }

    private func find(_ node: Node, _ segments: ArraySlice<String>, _ parameters: inout [String]) -> Node? {
        guard let first = segments.first else { return node.routes.isEmpty ? nil : node }
        if let next = node.literals[first], let found = find(next, segments.dropFirst(), &parameters) { return found }
        guard let next = node.parameter else { return nil }
        parameters.append(first)
        if let found = find(next, segments.dropFirst(), &parameters) { return found }
        parameters.removeLast()
        return nil
    }
}
