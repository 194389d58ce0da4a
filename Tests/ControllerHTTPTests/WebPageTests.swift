import ControllerCore
import Foundation
import NIOCore
import Testing

@testable import ControllerHTTP

/// What browsers get: files, pages with the right status, and forms that lead nobody elsewhere.
@Suite struct WebPageTests {
    private static let html = [("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")]

    @Test func rootIsAPageForBrowsersAndJSONForPrograms() async throws {
        try await withServer { _, _, client in
            let program = try await client.send("GET", "/", token: nil, headers: [("Accept", "application/json")])
            #expect(try program.json()["service"] as? String == "ansflow-controller")
            let plain = try await client.send("GET", "/", token: nil)
            #expect(plain.headers["content-type"] == "application/json")
            let wire = try await client.raw(
                "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAccept: text/html\r\n\r\n")
            #expect(wire.status == 401)
            #expect(wire.body.contains("name=\"password\"") && wire.body.contains("action=\"/login\""))
            let policy = try #require(wire.headers["content-security-policy"])
            for part in ["default-src 'none'", "trusted-types 'none'", "frame-ancestors 'none'", "form-action 'self'"] {
                #expect(policy.contains(part))
            }
            #expect(!policy.contains("unsafe"))
        }
    }

    @Test func pagesAreCheckedLikeOtherRoutesAndCarryTheirData() async throws {
        try await withServer { _, _, client in
            func raw(_ target: String, _ token: String, accept: String = "text/html") async throws -> Answer {
                try await client.raw(
                    """
                    GET \(target) HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAccept: \(accept)\r\n\
                    Authorization: Bearer \(token)\r\n\r\n
                    """)
            }
            let runs = try await raw("/runs?status=failed&what=ever", "admin-token")
            #expect(runs.status == 200)
            #expect(runs.body.contains("<h1>Executions</h1>"))
            #expect(runs.headers["vary"]?.contains("Cookie") == true)
            let missing = try await raw("/p/nothing/here/runs/7?step=<script>", "admin-token")
            #expect(missing.status == 404 || missing.status == 503)
            #expect(missing.headers["content-type"]?.hasPrefix("text/html") == true)
            #expect(!missing.body.contains("<script>"))
            let part = try await raw("/runs", "admin-token", accept: "application/json")
            #expect(part.headers["content-type"] == "application/json")
            #expect((try part.json()["data"] as? [String: Any])?["/api/v1/pipeline-runs?per_page=50"] != nil)
            #expect(try part.json()["user"] == nil)
        }
    }

    @Test func nobodyIsLedElsewhereByALinkToTheLogin() {
        for good in ["/", "/runs?state=failed", "/p/a/b/runs/7?step=x/y&L=1-2"] {
            #expect(NextAddress.safe(good) == good)
        }
        let bad = [
            "//example.org", "/\\example.org", "https://example.org", "javascript:alert(1)", "", "/a\nb", "/%zz",
            "/login?next=/login", "/logout", "/..//example.org", String(repeating: "/a", count: 2000),
        ]
        for text in bad { #expect(NextAddress.safe(text) == "/", "\(text)") }
        #expect(NextAddress.safe(nil) == "/")
    }

    @Test func looksAreTakenFromCookiesAndNothingElse() {
        #expect(PageLook(cookie: "a=b; ansflow_theme=dark; ansflow_density=compact").theme == "dark")
        #expect(PageLook(cookie: "ansflow_density=compact").density == "compact")
        #expect(PageLook(cookie: "ansflow_theme=\"><script>").theme == "auto")
        #expect(PageLook(cookie: nil).density == "comfortable")
    }

    private static func pack(_ table: String, _ contents: String) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(UInt32(table.utf8.count))
        buffer.writeString(table + contents)
        return buffer
    }

    private static let table = """
        {"roles":{"main":"m.js"},"files":[{"name":"m.js","type":"text/javascript","hash":"h","variants":\
        {"identity":[0,4],"br":[4,2],"gzip":[6,3]}}]}
        """

    @Test func assetsComeInTheSmallestFormThatIsTaken() throws {
        let assets = try #require(WebAssets(pack: Self.pack(Self.table, "fullbrgzp")))
        let file = try #require(assets.files["m.js"])
        #expect(file.variants["br"] == ByteBuffer(string: "br"))
        let cases = [
            ("gzip, deflate, br", "br"), ("gzip", "gzip"), ("", "identity"), ("br;q=0, gzip;q=0.5", "gzip"),
            ("BR", "br"), ("identity", "identity"), ("br;q=0.000,gzip;q=0", "identity"),
        ]
        for (accepted, form) in cases { #expect(StaticRoutes.encoding(accepted, of: file) == form, "\(accepted)") }
    }

    @Test func aPackThatIsNotOneIsNone() {
        #expect(WebAssets(pack: ByteBuffer()) == nil)
        #expect(WebAssets(pack: Self.pack("{}", "")) == nil)
        #expect(WebAssets(pack: Self.pack(Self.table, "short")) == nil)
        #expect(WebAssets(pack: Self.pack("not json", "x")) == nil)
    }

    @Test func dataInAPageCanNotEndIt() {
        var html = HTML()
        html.json(Array(#"{"a":"</script><!--&"}"#.utf8))
        let text = String(decoding: html.bytes, as: UTF8.self)
        #expect(text.hasSuffix(#"{"a":"\u003c/script\u003e\u003c!--\u0026"}"#))
    }

    @Test func builtInFilesMayBeKeptForEver() async throws {
        guard let name = WebAssets.builtIn.roles["main"] else { return }
        try await withServer { _, _, client in
            let file = try await client.send(
                "GET", "/static/\(name)", token: nil, headers: [("Accept-Encoding", "br")])
            #expect(file.status == 200)
            #expect(file.headers["cache-control"] == "public, max-age=31536000, immutable")
            #expect(file.headers["content-encoding"] == "br")
            let tag = try #require(file.headers["etag"])
            #expect(tag.hasSuffix("-br\""))
            let again = try await client.send(
                "GET", "/static/\(name)", token: nil, headers: [("Accept-Encoding", "br"), ("If-None-Match", tag)])
            #expect(again.status == 304 && again.body.isEmpty)
            let head = try await client.send("HEAD", "/static/\(name)", token: nil)
            #expect(head.status == 200 && head.body.isEmpty && head.headers["content-encoding"] == nil)
        }
    }
}
