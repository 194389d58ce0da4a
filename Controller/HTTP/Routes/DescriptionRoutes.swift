import ControllerCore
import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore

/// The interface's description: the document, a page to read it, and a page to try it out.
struct DescriptionRoutes {
    let shared: SharedParts
    let configuration: HTTPConfiguration

    /// As the web page's, for pages without script or form.
    private static let readPolicy = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"
    /// As the web page's, without its two directives on Trusted Types: Swagger UI's expanded operations break under them.
    private static let tryPolicy = """
        default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
        base-uri 'none'; form-action 'self'; frame-ancestors 'none'
        """

    /// What is served of Swagger UI; all else in the folder is not.
    private static let files = ["swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"]
    private static let fileBytesMax = 8 * 1024 * 1024

    var routes: [Route] {
        [
            Route(
                .get, "/openapi.json", .public, "openAPI", "This description, as OpenAPI 3.1",
                describes: Description(.system, answers: [.ok(.anything, example: "{\"openapi\":\"3.1.0\"}")])
            ) { _ in shared.openAPI },
            Route(
                .get, "/redoc", .public, "redoc", "This description, to be read",
                describes: Description(.system, answers: [.content("text/html")])
            ) { _ in shared.readingPage },
            Route(
                .get, "/redoc/page.css", .public, "pageStyle", "The look of the pages about the interface",
                describes: Description(.system, answers: [.content("text/css")])
            ) { _ in Self.style },
            Route(
                .get, "/docs", .public, "docs", "This description, to be tried out",
                describes: Description(.system, answers: [.content("text/html")]), handler: docs),
            Route(
                .get, "/docs/{file}", .public, "docsFile", "A file of the page to try it out",
                parameters: ["file": .choice((Self.files.keys + ["start.js"]).sorted())],
                describes: Description(
                    .system, answers: [.content("text/javascript"), .content("text/css")]), handler: file),
        ]
    }

    static func readingPage(_ routes: [Route], _ configuration: HTTPConfiguration) -> Reply {
        page(ReadingPage.page(routes, configuration), readPolicy)
    }

    private static func page(_ buffer: ByteBuffer, _ policy: String) -> Reply {
        var reply = content(buffer, "text/html; charset=utf-8")
        reply.headers[.contentSecurityPolicy] = policy
        return reply
    }

    private static func content(_ buffer: ByteBuffer, _ type: String) -> Reply {
        var reply = Reply(.ok, type, ResponseBody(byteBuffer: buffer))
        reply.buffer = buffer
        return reply
    }

    private static var style: Reply { content(ByteBuffer(string: PageStyle.css), "text/css; charset=utf-8") }

    // MARK: Trying it out

    private func path(_ name: String) -> String { configuration.docsDirectory + "/" + name }

    private var isThere: Bool {
        !configuration.docsDirectory.isEmpty
            && Self.files.keys.allSatisfy { FileManager.default.isReadableFile(atPath: path($0)) }
    }

    @Sendable private func docs(_ call: Call) async throws -> Reply {
        let isThere = self.isThere
        var html = HTML(capacity: 4096)
        html.element("html", ["lang": "en"]) { html in
            html.element("head") { html in
                html.open("meta", ["charset": "utf-8"])
                html.open("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"])
                html.element("title", "AnsFlow: try the interface")
                if isThere {
                    html.open("link", ["rel": "stylesheet", "href": "/docs/swagger-ui.css"])
                    html.element("script", ["src": "/docs/swagger-ui-bundle.js", "defer": "defer"], "")
                    html.element("script", ["src": "/docs/start.js", "defer": "defer"], "")
                } else {
                    html.open("link", ["rel": "stylesheet", "href": "/redoc/page.css"])
                }
            }
            html.element("body") { html in
                html.element("main", ["id": "docs"]) { html in
                    if !isThere { Self.missing(&html) }
                }
                html.element("noscript") { html in
                    html.element("p") { html in
                        html.text("This page needs JavaScript. ")
                        html.element("a", ["href": "/redoc"], "The page to read")
                        html.text(" does not.")
                    }
                }
            }
        }
        return Self.page(ByteBuffer(bytes: html.bytes), Self.tryPolicy)
    }

    private static func missing(_ html: inout HTML) {
        html.element("h1", "Swagger UI is not installed here")
        html.element("p") {
            $0.prose(
                """
                It is a separate program that AnsFlow does not carry. `packaging/swagger-ui DIRECTORY` fetches it, checks it, and puts it \
                into a directory; then start the controller with `--docs-dir DIRECTORY`.
                """)
        }
        html.element("p") { html in
            html.element("a", ["href": "/redoc"], "Read the description")
            html.text(" or take ")
            html.element("a", ["href": "/openapi.json"], "the OpenAPI document")
            html.text(" to a program of your own.")
        }
    }

    private static let start = """
        window.addEventListener("DOMContentLoaded", () => {
          SwaggerUIBundle({
            url: "/openapi.json",
            dom_id: "#docs",
            deepLinking: true,
            validatorUrl: null,
            presets: [SwaggerUIBundle.presets.apis],
          });
        });

        """

    @Sendable private func file(_ call: Call) async throws -> Reply {
        let name = call.parameters[0]
        if name == "start.js" { return Self.content(ByteBuffer(string: Self.start), "text/javascript; charset=utf-8") }
        guard let type = Self.files[name], isThere else { throw Problem.notFound("Swagger UI is not installed here.") }
        guard let data = try? Data(contentsOf: URL(filePath: path(name))), data.count <= Self.fileBytesMax else {
            throw Problem.notFound("Swagger UI can't be read.")
        }
        return Self.content(ByteBuffer(bytes: data), "\(type); charset=utf-8")
    }
}
