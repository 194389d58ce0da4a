import ControllerCore
package import HTTPTypes

/// What a caller must be allowed to do. There is no route without one.
package enum Permission: String, Sendable, CaseIterable {
    /// Everybody, without logging in.
    case `public`
    /// Everybody who is logged in, for their own things.
    case authenticated
    case read, run, write, admin

    var scope: Scope? {
        switch self {
        case .public, .authenticated: nil
        case .read: .read
        case .run: .run
        case .write: .write
        case .admin: .admin
        }
    }
}

/// A query parameter that a route knows. All others are refused by name.
package struct QueryParameter: Sendable {
    package var name: String
    package var summary: String

    package init(_ name: String, _ summary: String) {
        self.name = name
        self.summary = summary
    }
}

/// One operation of the interface: what serves a request and what describes it are the same value.
package struct Route: Sendable {
    package typealias Handler = @Sendable (Call) async throws -> Reply

    package var method: HTTPRequest.Method
    /// Segments are literals or `{name}`.
    package var path: String
    package var permission: Permission
    /// The operation's id in the interface's description.
    package var operation: String
    package var summary: String
    package var query: [QueryParameter]
    /// Content types that the body may have; empty where none is read.
    package var body: [String]
    package var acceptsTrailingSlash: Bool
    /// Whether a parameter may hold an encoded slash.
    package var acceptsEncodedSlash: Bool
    package var handler: Handler

    package init(
        _ method: HTTPRequest.Method, _ path: String, _ permission: Permission, _ operation: String, _ summary: String,
        query: [QueryParameter] = [], body: [String] = [], acceptsTrailingSlash: Bool = false,
        acceptsEncodedSlash: Bool = false, handler: @escaping Handler
    ) {
        self.method = method
        self.path = path
        self.permission = permission
        self.operation = operation
        self.summary = summary
        self.query = query
        self.body = body
        self.acceptsTrailingSlash = acceptsTrailingSlash
        self.acceptsEncodedSlash = acceptsEncodedSlash
        self.handler = handler
    }
}
