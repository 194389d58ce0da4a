import AnsFlowProtocol
import NIOHTTP1

/// What an agent asks of the artifact store.
struct ArtifactRequest: Equatable {
    enum Action: Equatable {
        case status(digest: String, size: UInt64)
        case upload(digest: String, size: UInt64, offset: UInt64)
        /// Bytes from `from` on.
        case download(digest: String, from: UInt64)
        case publish
        case listing(job: String)
    }

    struct Refusal: Error, Equatable {
        var status: Int
        var sentence: String
    }

    var attempt: AttemptID
    var action: Action

    /// Reads a request's head.
    init(_ head: HTTPRequestHead) throws(Refusal) {
        let parts = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let fields = try Self.fields(parts.count > 1 ? parts[1] : "")
        guard let attempt = fields["attempt"].flatMap({ Int64($0) }), attempt > 0 else {
            throw Refusal(status: 400, sentence: "The request names no attempt.")
        }
        self.attempt = AttemptID(attempt)
        let path = parts[0]
        if path == ArtifactPaths.manifest {
            action = try Self.manifest(head.method, fields)
        } else if path.hasPrefix(ArtifactPaths.content) {
            let digest = path.dropFirst(ArtifactPaths.content.count)
            guard ArtifactLimits.isDigest(digest) else {
                throw Refusal(status: 404, sentence: "A content is named by its SHA-256 in lower-case hex.")
            }
            action = try Self.content(head, String(digest), fields)
        } else {
            throw Refusal(status: 404, sentence: "There is nothing of this name for agents.")
        }
    }

    private static func manifest(_ method: HTTPMethod, _ fields: [String: String]) throws(Refusal) -> Action {
        switch method {
        case .PUT: return .publish
        case .GET:
            guard let job = fields["job"], !job.isEmpty else {
                throw Refusal(status: 400, sentence: "The request names no job.")
            }
            return .listing(job: job)
        default: throw Refusal(status: 405, sentence: "A manifest is put or got.")
        }
    }

    private static func content(
        _ head: HTTPRequestHead, _ digest: String, _ fields: [String: String]
    ) throws(Refusal) -> Action {
        if head.method == .GET { return .download(digest: digest, from: try rangeStart(head.headers)) }
        guard let size = fields["size"].flatMap({ UInt64($0) }), size <= UInt64(Int64.max) else {
            throw Refusal(status: 400, sentence: "The request names no size.")
        }
        switch head.method {
        case .HEAD: return .status(digest: digest, size: size)
        case .PUT:
            guard let offset = UInt64(fields["offset"] ?? "0"), offset <= size else {
                throw Refusal(status: 400, sentence: "The offset is not one.")
            }
            return .upload(digest: digest, size: size, offset: offset)
        default: throw Refusal(status: 405, sentence: "Content is put, got, or asked for with HEAD.")
        }
    }

    /// Of `bytes=N-`, the only form that agents use.
    private static func rangeStart(_ headers: HTTPHeaders) throws(Refusal) -> UInt64 {
        guard let range = headers.first(name: "range") else { return 0 }
        guard range.hasPrefix("bytes="), range.hasSuffix("-"), let from = UInt64(range.dropFirst(6).dropLast()) else {
            throw Refusal(status: 400, sentence: "A range is written as bytes=N-.")
        }
        return from
    }

    private static func fields(_ query: Substring) throws(Refusal) -> [String: String] {
        var fields: [String: String] = [:]
        for pair in query.split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, let value = decoded(sides[1]),
                fields.updateValue(value, forKey: String(sides[0])) == nil
            else { throw Refusal(status: 400, sentence: "The request's query is malformed.") }
        }
        return fields
    }

    /// Percent-decoded text; nil where it is malformed.
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        Character(UnicodeScalar(byte)).hexDigitValue.map { UInt8($0) }
    }
}
