import ControllerCore
import Hummingbird
import NIOCore

/// Encoded answers, each under the version of what it shows.
final class AnswerCaches: Sendable {
    struct RunsKey: Hashable, Sendable {
        var filter: RunFilter
        var page: Int
        var perPage: Int
    }

    struct PipelinesKey: Hashable, Sendable {
        var project: Int64?
        var visible: Visibility
        var text: String?
        var order: ListOrder
        var page: Int
        var perPage: Int
    }

    let runs: VersionedCache<RunsKey, CachedAnswer>
    /// Ended runs.
    let run: VersionedCache<RunID, CachedAnswer>
    let pipelines: VersionedCache<PipelinesKey, CachedAnswer>

    init(bytesMax: Int) {
        runs = VersionedCache(name: "runs", bytesMax: bytesMax)
        run = VersionedCache(name: "run", bytesMax: bytesMax)
        pipelines = VersionedCache(name: "pipelines", bytesMax: bytesMax)
    }

    var all: [any ReportedCache] { [runs, run, pipelines] }
}

/// A 200 with JSON, ready to be sent.
struct CachedAnswer: Sendable {
    var body: ByteBuffer
    var etag: String
    var link: String?

    init(_ body: ByteBuffer, link: String? = nil) {
        self.body = body
        etag = EntityTag.of(body)
        self.link = link
    }

    /// The buffer, its tag and link, and what the dictionary takes.
    var bytes: Int { body.readableBytes + (link?.utf8.count ?? 0) + 256 }

    var reply: Reply {
        var reply = Reply(.ok, Reply.json, ResponseBody(byteBuffer: body))
        reply.buffer = body
        reply.etag = etag
        if let link { reply.headers[.link] = link }
        return reply
    }
}
