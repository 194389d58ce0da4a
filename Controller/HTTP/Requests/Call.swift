import ControllerCore
package import HTTPTypes
package import NIOCore

/// One request as a route's handler sees it: path, query and body are checked and the caller is known.
package struct Call: Sendable {
    package var method: HTTPRequest.Method
    /// Values of the path's parameters, in order.
    package var parameters: [String]
    package var query: Query
    package var headers: HTTPFields
    package var body: ByteBuffer
    package var requestID: String
    /// Without its port.
    package var remote: String
    let caller: Principal?
    /// Nil where nothing of it is told.
    let audit: AuditDraft?
    /// The caller's `traceparent`, where it sent a good one.
    package var trace: String?
    /// What the caller may do in which project.
    var access = Access.none
    /// The route's own ``Route/role``.
    var role: Role?
    /// What the request's `Host` says.
    var authority: String?
    /// Decoded.
    var segments: [String] = []
    let grants = Grants()

    /// Who calls. Only for routes that are not public.
    var principal: Principal {
        guard let caller else { preconditionFailure("a public route asked for its caller") }
        return caller
    }

    /// The same request, of a caller that its public route has found itself.
    func by(_ principal: Principal, _ access: Access) -> Call {
        var call = Call(
            method: method, parameters: parameters, query: query, headers: headers, body: body, requestID: requestID,
            remote: remote, caller: principal, audit: audit, trace: trace)
        call.access = access
        call.authority = authority
        call.segments = segments
        return call
    }

    /// The path, written in the one way that links have it.
    var path: String { "/" + segments.map(PercentCode.encode).joined(separator: "/") }

    /// The id in the path's parameter `index`; 404 for what can't be one.
    func id(_ index: Int = 0, what: String) throws -> Int64 {
        guard let id = Int64(parameters[index]), Fields.ids.contains(Int(id)), String(id) == parameters[index] else {
            throw Problem.notFound("There is no such \(what).")
        }
        return id
    }

    /// The body as JSON; nil where there is none.
    func json() throws -> JSONValue? {
        guard body.readableBytes > 0 else { return nil }
        do {
            let value = try JSONParser.parse(Array(body.readableBytesView))
            if let audit, case .object(let members) = value { audit.change { $0.fields = members.keys.sorted() } }
            return value
        } catch {
            throw Problem.malformed("The body is not JSON. \(error.message)")
        }
    }

    /// The fields of a body that must be there.
    func fields() throws -> Fields {
        guard let value = try json() else { throw Problem.malformed("The body is missing.") }
        return try Fields(value)
    }

    /// A body that may come, and has nothing in it that is read.
    func noFields() throws {
        var fields = try optionalFields()
        try fields.finish()
    }

    func optionalFields() throws -> Fields { try Fields(optional: try json()) }

    /// Fields of a JSON body or of a form.
    func fieldsOrForm() throws -> Fields {
        let type = headers[.contentType]?.lowercased() ?? ""
        guard type.hasPrefix("application/x-www-form-urlencoded") else { return try fields() }
        guard let pairs = PercentCode.pairs(body.readableBytesView) else {
            throw Problem.malformed("The form can't be decoded.")
        }
        var members: [String: JSONValue] = [:]
        for (name, value) in pairs where members.updateValue(.string(value), forKey: name) != nil {
            throw Problem.malformed("The form's field `\(name)` is given twice.")
        }
        audit?.change { $0.fields = members.keys.sorted() }
        return try Fields(.object(members))
    }

    /// The version in `If-Match`; nil where the header is missing or `*`.
    func expectedVersion() throws -> Int? {
        guard let header = headers[.ifMatch], header != "*" else { return nil }
        guard let version = Int(header.filter { $0 != "\"" && $0 != "v" }) else {
            throw Problem(412, "Precondition failed", "The If-Match header is no version of this; read it again.")
        }
        return version
    }
}
