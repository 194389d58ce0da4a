import ControllerCore
import HTTPTypes
import NIOCore

/// The interface's description to be read: one page of plain HTML, made of the routes. It needs no script.
struct ReadingPage {
    private let routes: [Route]
    private let configuration: HTTPConfiguration

    static func page(_ routes: [Route], _ configuration: HTTPConfiguration) -> ByteBuffer {
        var html = HTML(capacity: 512 * 1024)
        ReadingPage(routes: routes, configuration: configuration).write(&html)
        return ByteBuffer(bytes: html.bytes)
    }

    private func write(_ html: inout HTML) {
        html.element("html", ["lang": "en"]) { html in
            html.element("head") { html in
                html.open("meta", ["charset": "utf-8"])
                html.open("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"])
                html.open("meta", ["name": "color-scheme", "content": "light dark"])
                html.element("title", "AnsFlow: the interface")
                html.open("link", ["rel": "stylesheet", "href": "/redoc/page.css"])
            }
            html.element("body") { html in
                html.element("a", ["class": "skip", "href": "#content"], "Skip to the content")
                html.element("header") { html in
                    html.element("h1", "AnsFlow: the interface")
                    html.element("p") { html in
                        html.text("Version \(configuration.version). ")
                        html.element("a", ["href": "/docs"], "Try it out")
                        html.text(" or take ")
                        html.element("a", ["href": "/openapi.json"], "the OpenAPI document")
                        html.text(".")
                    }
                }
                navigation(&html)
                html.element("main", ["id": "content"]) { html in
                    html.element("p", ["class": "intro"]) { $0.prose(OpenAPI.introduction) }
                    for tag in tags { chapter(tag, &html) }
                    schemas(&html)
                }
            }
        }
    }

    private var tags: [Tag] {
        let used = Set(routes.compactMap { $0.describes?.tag })
        return Tag.allCases.filter(used.contains)
    }

    private func routes(of tag: Tag) -> [Route] { routes.filter { $0.describes?.tag == tag } }

    private func navigation(_ html: inout HTML) {
        html.element("nav", ["aria-label": "Contents"]) { html in
            for tag in tags {
                html.element("details") { html in
                    html.element("summary", tag.rawValue)
                    html.element("ul") { html in
                        for route in routes(of: tag) {
                            html.element("li") { html in
                                html.element("a", ["href": "#\(route.operation)"], route.summary)
                            }
                        }
                    }
                }
            }
            html.element("a", ["href": "#schemas"], "Schemas")
        }
    }

    private func chapter(_ tag: Tag, _ html: inout HTML) {
        html.element("section", ["aria-labelledby": "tag-\(tag.rawValue)"]) { html in
            html.element("h2", ["id": "tag-\(tag.rawValue)"], tag.rawValue)
            html.element("p") { $0.prose(tag.summary) }
            for route in routes(of: tag) { operation(route, &html) }
        }
    }

    // MARK: Operations

    private func operation(_ route: Route, _ html: inout HTML) {
        html.element("article", ["aria-labelledby": route.operation]) { html in
            html.element("h3", ["id": route.operation], route.summary)
            html.element("p", ["class": "address"]) { html in
                html.element("strong", ["class": "method"], route.method.rawValue)
                html.text(" ")
                html.element("code", route.path)
            }
            if let text = route.describes?.text, !text.isEmpty { html.element("p") { $0.prose(text) } }
            html.element("p", Self.permission(route.permission))
            parameters(route, &html)
            if let payload = route.describes?.takes, !route.body.isEmpty { body(payload, route, &html) }
            answers(route, &html)
        }
    }

    private static func permission(_ permission: Permission) -> String {
        switch permission {
        case .public: "For everybody."
        case .authenticated: "For whoever is logged in."
        default: "Needs the permission \(permission.rawValue)."
        }
    }

    private func parameters(_ route: Route, _ html: inout HTML) {
        let rows =
            route.parameterNames.map { ($0, "path", route.kind(of: $0).schema, "") }
            + route.query.map { parameter in
                let standard = parameter.standard.map { " Without it: `\($0)`." } ?? ""
                return (
                    parameter.name, parameter.isRequired ? "query, required" : "query", parameter.kind.schema,
                    parameter.summary + "." + standard
                )
            }
        guard !rows.isEmpty else { return }
        html.element("table") { html in
            html.element("caption", "Parameters")
            Self.head(["Name", "Place", "Form", "Meaning"], &html)
            html.element("tbody") { html in
                for row in rows {
                    html.element("tr") { html in
                        html.element("th", ["scope": "row"]) { $0.element("code", row.0) }
                        html.element("td", row.1)
                        html.element("td") { SchemaText.write(row.2, &$0) }
                        html.element("td") { $0.prose(row.3) }
                    }
                }
            }
        }
    }

    private static func head(_ names: [String], _ html: inout HTML) {
        html.element("thead") { html in
            html.element("tr") { html in
                for name in names { html.element("th", ["scope": "col"], name) }
            }
        }
    }

    private func body(_ payload: Description.Payload, _ route: Route, _ html: inout HTML) {
        html.element("h4", "Body")
        html.element("p", "\(route.body.joined(separator: " or "))\(payload.isOptional ? ", may be left out" : "").")
        SchemaText.write(payload.schema, &html)
        Self.example(payload.example, &html)
    }

    private func answers(_ route: Route, _ html: inout HTML) {
        html.element("h4", "Answers")
        html.element("dl") { html in
            for answer in route.describes?.answers ?? [] {
                html.element("dt", "\(answer.status)\(answer.contentType.map { ", \($0)" } ?? "")")
                html.element("dd") { html in
                    html.element("p") { $0.prose(answer.summary + ".") }
                    if let schema = answer.schema { SchemaText.write(schema, &html) }
                    if let example = answer.example { Self.example(example, &html) }
                }
            }
        }
        let problems = Description.problems(of: route).map(String.init).joined(separator: ", ")
        html.element("p") { html in
            html.text("Problems: \(problems), each a ")
            html.element("a", ["href": "#schema-Problem"], "Problem")
            html.text(".")
        }
    }

    private static func example(_ text: String, _ html: inout HTML) {
        html.element("details") { html in
            html.element("summary", "Example")
            // A box that scrolls has to be reachable without a mouse.
            html.element("pre", ["tabindex": "0", "aria-label": "Example"]) {
                $0.element("code", PrettyJSON.text(text))
            }
        }
    }

    // MARK: Schemas

    private func schemas(_ html: inout HTML) {
        let found = OpenAPI.components(of: routes)
        html.element("section", ["aria-labelledby": "schemas"]) { html in
            html.element("h2", ["id": "schemas"], "Schemas")
            for name in found.keys.sorted() {
                guard let component = found[name] else { continue }
                html.element("article", ["aria-labelledby": "schema-\(name)"]) { html in
                    html.element("h3", ["id": "schema-\(name)"], name)
                    SchemaText.write(component.schema, &html)
                    Self.example(component.example, &html)
                }
            }
        }
    }
}
