import HTTPTypes

extension Description {
    /// Every status that `route` may answer with as a problem, whoever asks for whatever.
    static func problems(of route: Route) -> [Int] {
        var all: Set<Int> = [400, 429, 431, 500, 503]
        if route.permission != .public { all.formUnion([401, 403]) }
        if route.path.contains("{") { all.insert(404) }
        // An archived project refuses every change.
        if route.role != nil, route.method != .get { all.insert(409) }
        if !route.body.isEmpty { all.formUnion([408, 413, 415, 422]) }
        // An `Idempotency-Key` that was used for something else.
        if route.isCreation { all.insert(422) }
        all.formUnion(route.describes?.problems ?? [])
        if route.describes?.takesIfMatch == true { all.insert(412) }
        if route.describes?.takesRange == true { all.insert(416) }
        if route.describes?.answers.contains(where: { $0.status == 201 }) == true { all.insert(409) }
        return all.subtracting(route.describes?.answers.map(\.status) ?? []).sorted()
    }

    static func meaning(of status: Int) -> String {
        switch status {
        case 400: "The path, the query, a header or the JSON is malformed; `errors` names what."
        case 401: "Nobody is logged in, or the credentials are wrong."
        case 403: "The caller may not do this."
        case 404: "There is no such thing, or the caller may not know of it."
        case 408: "The request came too slowly."
        case 409: "It can't be done as things stand."
        case 410: "It was there and was removed."
        case 412: "`If-Match` names another version than the current one."
        case 413: "The body is too large."
        case 415: "The body has another content type, or is compressed."
        case 416: "The range lies outside."
        case 422: "A field is wrong; `errors` names each."
        case 426: "This address speaks WebSocket only."
        case 431: "The request's head is too large."
        case 429: "Too many requests; `Retry-After` says when to come again."
        case 500: "The controller failed; its log says why, under `request_id`."
        case 502: "A system that this needs answered wrongly or not at all."
        case 503: "Not now; `Retry-After` says when to come again."
        default: "A problem."
        }
    }
}
