import AsyncHTTPClient
import NIOCore
import NIOHTTP1

extension APIClient {
    /// Reads an answer piece by piece, of any size.
    ///
    /// - Parameters:
    ///   - offset: The first byte that is wanted; the answer then may be that range or, where the file is another by now, the whole.
    ///   - etag: Of the version whose bytes before `offset` are there.
    ///   - begin: Told before the first piece whether the answer begins at `offset`.
    /// - Throws: ``ClientFailure`` for a refusal and where the connection breaks.
    func stream(
        _ path: String, query: [(String, String)], from offset: UInt64 = 0, etag: String? = nil, thing: String,
        begin: (Bool) throws -> Void, piece: ([UInt8]) throws -> Void
    ) async throws {
        // A look at the list has just refreshed the login; this only reads what is kept.
        let token = try await freshToken()
        var request = HTTPClientRequest(url: endpoint.url + path + Self.queryText(query))
        request.headers.add(name: "User-Agent", value: "ansflow/\(Version.text)")
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        if offset > 0 {
            request.headers.add(name: "Range", value: "bytes=\(offset)-")
            if let etag { request.headers.add(name: "If-Range", value: etag) }
        }
        let response: HTTPClientResponse
        do {
            response = try await http.execute(request, deadline: .distantFuture)
        } catch let error where !(error is CancellationError) {
            throw unreachable(error)
        }
        guard response.status == .ok || response.status == .partialContent else {
            let body = try await response.body.collect(upTo: 1 << 20)
            throw Problem.failure(
                status: Int(response.status.code), body: Array(body.readableBytesView), url: endpoint.url, thing: thing)
        }
        try begin(response.status == .partialContent)
        do {
            for try await buffer in response.body { try piece(Array(buffer.readableBytesView)) }
        } catch let failure as ClientFailure {
            throw failure
        } catch let error where !(error is CancellationError) {
            throw unreachable(error)
        }
    }
}
