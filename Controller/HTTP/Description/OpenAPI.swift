import ControllerCore
import HTTPTypes
import NIOCore

/// The interface as OpenAPI 3.1, made of the same routes that serve it.
struct OpenAPI {
    private let routes: [Route]
    private let configuration: HTTPConfiguration

    static func document(_ routes: [Route], _ configuration: HTTPConfiguration) -> ByteBuffer {
        var json = JSONWriter(capacity: 256 * 1024)
        OpenAPI(routes: routes, configuration: configuration).write(&json)
        return json.buffer
    }

    private func write(_ json: inout JSONWriter) {
        json.object { json in
            json.field("openapi", "3.1.0")
            json.name("info")
            json.object { json in
                json.field("title", "AnsFlow")
                json.field("version", configuration.version)
                json.field("summary", "Continuous integration and delivery on your own machines")
                json.field("description", Self.introduction)
                json.name("license")
                json.object { json in
                    json.field("name", "Apache 2.0")
                    json.field("identifier", "Apache-2.0")
                }
            }
            json.name("servers")
            json.array([configuration.publicURL.isEmpty ? "/" : configuration.publicURL]) { json, url in
                json.object { $0.field("url", url) }
            }
            json.name("tags")
            let used = Set(routes.compactMap { $0.describes?.tag })
            json.array(Tag.allCases.filter(used.contains)) { json, tag in
                json.object { json in
                    json.field("name", tag.rawValue)
                    json.field("description", tag.summary)
                }
            }
            paths(&json)
            components(&json)
        }
    }

    static let introduction = """
        Times are RFC 3339, UTC, with milliseconds; durations are milliseconds, with `_ms` in the name. Lists come in pages: `page`, \
        `per_page` and a `Link` header. A query parameter or field that is not known is refused by name. Errors are \
        `application/problem+json` (RFC 9457). Every GET has an `ETag` and takes `If-None-Match`. Every POST that makes something takes \
        an `Idempotency-Key`. Every answer has an `X-Request-ID`.
        """

    private func paths(_ json: inout JSONWriter) {
        var order: [String] = []
        var groups: [String: [Route]] = [:]
        for route in routes {
            if groups[route.path] == nil { order.append(route.path) }
            groups[route.path, default: []].append(route)
        }
        json.name("paths")
        json.object { json in
            for path in order {
                json.key(path)
                json.object { json in
                    for route in groups[path] ?? [] {
                        json.key(route.method.rawValue.lowercased())
                        OperationJSON(route: route).write(&json)
                    }
                }
            }
        }
    }

    // MARK: Components

    /// All schemas with names that `routes` use, by name.
    static func components(of routes: [Route]) -> [String: Component] {
        var found: [String: Component] = [:]
        Schema.component(Schemas.problem).components(into: &found)
        for route in routes {
            route.describes?.takes?.schema.components(into: &found)
            for answer in route.describes?.answers ?? [] { answer.schema?.components(into: &found) }
        }
        return found
    }

    private func components(_ json: inout JSONWriter) {
        let found = Self.components(of: routes)
        json.name("components")
        json.object { json in
            json.name("schemas")
            json.object { json in
                for name in found.keys.sorted() {
                    json.key(name)
                    found[name]?.schema.write(&json)
                }
            }
            json.name("responses")
            json.object { json in
                let statuses = Set(routes.flatMap { Description.problems(of: $0) })
                for status in statuses.sorted() {
                    json.key("Problem\(status)")
                    Self.problem(status, &json)
                }
            }
            json.name("headers")
            json.object { json in
                for header in OperationJSON.sharedHeaders {
                    json.key(header.name)
                    json.object { json in
                        json.field("description", header.summary)
                        json.name("schema")
                        header.schema.write(&json)
                    }
                }
            }
            security(&json)
        }
    }

    /// - Parameter asPage: whether browsers get it as a page.
    static func problem(_ status: Int, asPage: Bool = false, _ json: inout JSONWriter) {
        json.object { json in
            json.field("description", Description.meaning(of: status))
            json.name("headers")
            json.object { json in
                OperationJSON.header("X-Request-ID", &json)
                if status == 429 || status == 503 { OperationJSON.header("Retry-After", &json) }
                if status == 401, !asPage { OperationJSON.header("WWW-Authenticate", &json) }
            }
            json.name("content")
            json.object { json in
                json.key("application/problem+json")
                problemContent(status, &json)
                guard asPage else { return }
                json.key("text/html")
                json.object { json in
                    json.name("schema")
                    Schema.text.write(&json)
                }
            }
        }
    }

    private static func problemContent(_ status: Int, _ json: inout JSONWriter) {
        json.object { json in
            json.name("schema")
            Schema.component(Schemas.problem).write(&json)
            json.name("example")
            json.object { json in
                json.field("type", "about:blank")
                json.field("title", Problem.title(of: status))
                json.field("status", status)
                json.field("detail", Description.meaning(of: status))
                json.name("errors")
                json.array([Int]()) { $0.int($1) }
                json.field("request_id", "1a2b3c-7")
            }
        }
    }

    private func security(_ json: inout JSONWriter) {
        json.name("securitySchemes")
        json.object { json in
            json.name("bearer")
            json.object { json in
                json.field("type", "http")
                json.field("scheme", "bearer")
                json.field("description", "An access token from `/api/v1/auth/login`, or an API key.")
            }
            json.name("apiKey")
            json.object { json in
                json.field("type", "apiKey")
                json.field("in", "header")
                json.field("name", "X-API-Key")
                json.field("description", "An API key.")
            }
        }
    }
}
