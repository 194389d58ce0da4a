import ControllerCore
import Crypto
import HTTPTypes
import Hummingbird
import NIOCore

/// Answers a request that is sent again as it was answered the first time (`Idempotency-Key`), for every POST that makes something.
///
/// The key is taken before the work and its answer kept before it is sent. Where the controller stops in between, nobody knows whether
/// the work was done: then the same key gets a 409 that says so, and never does it twice. Starting and repeating runs is surer: there
/// the key is written with the run itself, see `RunRoutes`.
struct Idempotency: Sendable {
    let store: any IdempotencyRepository
    let now: @Sendable () -> Int64

    /// Nil for requests that it has nothing to do with.
    init?(
        _ store: (any IdempotencyRepository)?, for route: Route, _ call: Call, now: @escaping @Sendable () -> Int64
    ) {
        guard route.isCreation, call.caller != nil, route.describes?.keepsOwnKeys != true, let store else { return nil }
        self.store = store
        self.now = now
    }

    func answer(_ route: Route, _ call: Call, target: String) async throws -> Reply {
        guard let key = try RunRoutes.idempotencyKey(call) else { return try await route.handler(call) }
        var hash = SHA256()
        for text in [route.method.rawValue, target] {
            hash.update(data: Array(text.utf8))
            hash.update(data: [0])
        }
        hash.update(data: Array(call.body.readableBytesView))
        let digest = hash.finalize().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let request = IdempotentRequest(caller: "user:\(call.principal.user)", key: key, digest: digest)
        let at = now()
        switch try await store.claim(request, at: at, since: at - IdempotencyLimits.ageMsMax) {
        case .new: return try await work(route, call, request)
        case .answered(let kept):
            // The same caller has seen it: nothing of any project is told that was not told before.
            call.grants.noteAsked()
            return try Self.again(kept)
        case .different:
            throw Problem.invalid(
                "Idempotency-Key", "The Idempotency-Key was used for another request. Choose a new one.")
        case .unfinished:
            throw Problem.conflict(
                """
                A request with this Idempotency-Key is being worked on, or was cut off. Look whether it did its work; if not, \
                send it with a new key.
                """)
        }
    }

    private func work(_ route: Route, _ call: Call, _ request: IdempotentRequest) async throws -> Reply {
        let reply: Reply
        do {
            reply = try await route.handler(call)
        } catch {
            // It failed before it made anything: handlers make one thing, and that last.
            try await store.release(request)
            throw error
        }
        guard (200..<300).contains(reply.status.code) else {
            try await store.release(request)
            return reply
        }
        // What is shown once is not kept either: nothing that opens anything lies in the database.
        let isSecret = route.describes?.isShownOnce == true
        let body = isSecret ? [] : reply.buffer.map { Array($0.readableBytesView) } ?? []
        try await store.finish(
            request,
            KeptAnswer(
                status: reply.status.code, location: reply.headers[.location],
                contentType: isSecret ? nil : reply.contentType, body: body))
        return reply
    }

    private static func again(_ kept: KeptAnswer) throws -> Reply {
        guard let type = kept.contentType else {
            let place = kept.location.map { " It made \($0)." } ?? ""
            throw Problem.conflict(
                "This request was answered before, with a secret that is shown once.\(place) Send it with a new key for a new one."
            )
        }
        let body = ByteBuffer(bytes: kept.body)
        var reply = Reply(HTTPResponse.Status(code: kept.status), type, ResponseBody(byteBuffer: body))
        reply.buffer = body
        if let location = kept.location { reply.headers[.location] = location }
        reply.headers[.idempotencyReplayed] = "true"
        return reply
    }
}
