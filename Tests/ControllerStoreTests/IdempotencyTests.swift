import ControllerCore
import Testing

@testable import ControllerStore

@Suite struct IdempotencyTests {
    private let answer = KeptAnswer(
        status: 201, location: "/api/v1/pipelines/1", contentType: "application/json", body: [123, 125])

    private func request(_ key: String, caller: String = "user:1", digest: String = "d") -> IdempotentRequest {
        IdempotentRequest(caller: caller, key: key, digest: digest)
    }

    @Test func aKeyIsTakenOnceAndItsAnswerOutlivesARestart() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        var database = try scratch.open()
        #expect(try await database.claim(request("k"), at: 10, since: 0) == .new)
        #expect(try await database.claim(request("k"), at: 11, since: 0) == .unfinished)
        #expect(try await database.claim(request("k", digest: "other"), at: 11, since: 0) == .different)
        #expect(try await database.claim(request("k", caller: "user:2"), at: 11, since: 0) == .new)
        try await database.finish(request("k"), answer)
        try database.close()
        database = try scratch.open()
        #expect(try await database.claim(request("k"), at: 12, since: 0) == .answered(answer))
        // A key that was cut off stays so: nobody knows what became of it.
        #expect(try await database.claim(request("k", caller: "user:2"), at: 12, since: 0) == .unfinished)
        // What was answered is not given back.
        try await database.release(request("k"))
        #expect(try await database.claim(request("k"), at: 13, since: 0) == .answered(answer))
        try await database.release(request("k", caller: "user:2"))
        #expect(try await database.claim(request("k", caller: "user:2"), at: 13, since: 0) == .new)
        try database.close()
    }

    @Test func oldKeysAndTooManyAreForgotten() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let database = try scratch.open()
        #expect(try await database.claim(request("old"), at: 5, since: 0) == .new)
        #expect(try await database.claim(request("old"), at: 20, since: 6) == .new)
        for index in 0..<IdempotencyLimits.keysMax {
            #expect(try await database.claim(request("k\(index)"), at: 100 + Int64(index), since: 6) == .new)
        }
        // The oldest of the caller made room; the newest are there.
        #expect(try await database.claim(request("old"), at: 1000, since: 6) == .new)
        let newest = request("k\(IdempotencyLimits.keysMax - 1)")
        #expect(try await database.claim(newest, at: 1001, since: 6) == .unfinished)
        try database.close()
    }
}
