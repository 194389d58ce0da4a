import ControllerCore
import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore

/// The web page's files. Their names change with their contents, so they may be kept for ever.
struct StaticRoutes {
    let assets: WebAssets
    /// Where unbundled sources are served from instead, while they are being written; empty for the built ones.
    let folder: String

    static let path = "/static"
    private static let forever = "public, max-age=31536000, immutable"
    private static let bytesMax = 4 * 1024 * 1024
    private static let types = [
        "js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml",
    ]

    var routes: [Route] {
        let description = Description(
            .pages, "Compressed as `Accept-Encoding` allows.",
            answers: [.content("text/javascript"), .content("text/css"), .content("image/svg+xml")])
        let built = Route(
            .get, Self.path + "/{file}", .public, "staticFile", "A file of the web page", describes: description,
            handler: self.built)
        guard !folder.isEmpty else { return [built] }
        return [
            Route(
                .get, Self.path + "/{dir}/{file}", .public, "sourceFile", "A source of the web page",
                describes: description, handler: source),
            Route(
                .get, Self.path + "/{dir}/{part}/{file}", .public, "sourcePart", "A source of the web page",
                describes: description, handler: source), built,
        ]
    }

    @Sendable private func built(_ call: Call) async throws -> Reply {
        guard let file = assets.files[call.parameters[0]] else {
            throw Problem.notFound("The web page has no such file. It may be of another version: load the page again.")
        }
        let encoding = Self.encoding(call.headers[.acceptEncoding] ?? "", of: file)
        guard let bytes = file.variants[encoding] else { throw Problem.internalError }
        var reply = Reply(.ok, file.type, ResponseBody(byteBuffer: bytes))
        reply.etag = "\"\(file.hash)-\(encoding)\""
        reply.headers[.cacheControl] = Self.forever
        reply.headers[.vary] = "Accept-Encoding"
        if encoding != "identity" { reply.headers[.contentEncoding] = encoding }
        return reply
    }

    /// The smallest form that the caller takes.
    static func encoding(_ accepted: String, of file: WebAssets.File) -> String {
        var taken: Set<String> = []
        for part in accepted.lowercased().split(separator: ",") {
            let words = part.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
            let isRefused = words.dropFirst().contains { $0.hasPrefix("q=0") && Double($0.dropFirst(2)) == 0 }
            if let name = words.first, !isRefused { taken.insert(String(name)) }
        }
        return ["br", "gzip"].first { taken.contains($0) && file.variants[$0] != nil } ?? "identity"
    }

    @Sendable private func source(_ call: Call) async throws -> Reply {
        let path = ([folder] + call.parameters).joined(separator: "/")
        let ending = call.parameters.last?.split(separator: ".").last.map(String.init) ?? ""
        guard let type = Self.types[ending], let data = try? Data(contentsOf: URL(filePath: path)),
            data.count <= Self.bytesMax
        else { throw Problem.notFound("There is no such source.") }
        let bytes = ByteBuffer(bytes: data)
        var reply = Reply(.ok, type, ResponseBody(byteBuffer: bytes))
        reply.buffer = bytes
        return reply
    }
}
