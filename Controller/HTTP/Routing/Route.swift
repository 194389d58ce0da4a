package import ControllerCore
package import HTTPTypes

/// What a caller must be allowed to do. There is no route without one.
package enum Permission: String, Sendable, CaseIterable {
    /// Everybody, without logging in.
    case `public`
    /// Everybody who is logged in, for their own things.
    case authenticated
    case read, run, write, admin
    /// Only keys that were made for webhooks.
    case webhook

    var scope: Scope? {
        switch self {
        case .public, .authenticated: nil
        case .read: .read
        case .run: .run
        case .write: .write
        case .admin: .admin
        case .webhook: .webhook
        }
    }
}

/// A query parameter that a route knows. All others are refused by name, and this one where it is not of its kind.
package struct QueryParameter: Sendable {
    package var name: String
    package var summary: String
    package var kind: ParameterKind
    package var isRequired: Bool
    /// What is taken where it is missing, as it would be written; nil where that has no such form.
    package var standard: String?

    package init(
        _ name: String, _ summary: String, _ kind: ParameterKind = .text, required: Bool = false,
        default standard: String? = nil
    ) {
        self.name = name
        self.summary = summary
        self.kind = kind
        self.isRequired = required
        self.standard = standard
    }

    var schema: Schema {
        // An empty text is none, and so none that is required.
        if isRequired, case .text(let max) = kind { return .text(1...max, pattern: #"^[^\u0000]+$"#) }
        return kind.schema
    }
}

/// One operation of the interface: what serves a request and what describes it are the same value.
package struct Route: Sendable {
    package typealias Handler = @Sendable (Call) async throws -> Reply

    /// Instead of content types: whatever the sender calls it.
    package static let anyBody = "*/*"

    package var method: HTTPRequest.Method
    /// Segments are literals or `{name}`.
    package var path: String
    package var permission: Permission
    /// The smallest role in the project of what is asked for; nil where it belongs to no project. A handler with one that answers
    /// without having asked for the role, or for what its caller may see, is refused: see ``Grants``.
    package var role: Role?
    /// The operation's id in the interface's description.
    package var operation: String
    package var summary: String
    package var query: [QueryParameter]
    /// Content types that the body may have; empty where none is read.
    package var body: [String]
    /// Where it may be larger than the configuration says.
    package var bodyBytesMax: Int?
    package var acceptsTrailingSlash: Bool
    /// Whether a parameter may hold an encoded slash.
    package var acceptsEncodedSlash: Bool
    /// What the path's parameters are, where their names don't say so: see ``kind(of:)``.
    package var parameters: [String: ParameterKind]
    /// What it takes and answers. A test holds that every route has one.
    package var describes: Description?
    package var handler: Handler
    /// Whether it is for people: it takes any query, which is the page's own, and tells browsers what is wrong by a page.
    package var isPage = false

    package init(
        _ method: HTTPRequest.Method, _ path: String, _ permission: Permission, _ operation: String, _ summary: String,
        role: Role? = nil, query: [QueryParameter] = [], body: [String] = [], acceptsTrailingSlash: Bool = false,
        acceptsEncodedSlash: Bool = false, parameters: [String: ParameterKind] = [:], describes: Description? = nil,
        handler: @escaping Handler
    ) {
        self.method = method
        self.path = path
        self.permission = permission
        self.role = role
        self.operation = operation
        self.summary = summary
        self.query = query
        self.body = body
        self.acceptsTrailingSlash = acceptsTrailingSlash
        self.acceptsEncodedSlash = acceptsEncodedSlash
        self.parameters = parameters
        self.describes = describes
        self.handler = handler
    }
}

extension Route {
    /// Names of the path's parameters, in order.
    package var parameterNames: [String] {
        path.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
    }

    /// `id` and everything that ends with `_id` is an id; all else is text, unless the route says otherwise.
    package func kind(of parameter: String) -> ParameterKind {
        parameters[parameter] ?? (parameter == "id" || parameter.hasSuffix("_id") ? .id : .text)
    }

    /// Whether passwords or tokens can be tried here.
    var isLogin: Bool {
        [
            "login", "loginAlias", "loginSession", "loginForm", "setupForm", "refreshTokens", "changePassword",
        ].contains(operation)
    }
}
