import ControllerCore
import ControllerWebhooks
import TestSupport
import Testing

/// Row 26 of the fault matrix: bits of a stored body turn.
@Suite("Stored bodies that are damaged") struct DamageTests {
    @Test("none is judged, packed or not", arguments: [10, 4_000]) func flipped(size: Int) async throws {
        try await Desk.with { desk in
            let hook = try await desk.hook(.github)
            let text = String((0..<size).map { Character(String($0 % 10)) })
            let body = Array("{\"zen\": \"\(text)\"}".utf8)
            let row = try await desk.view(try await desk.send(.github, body, event: "ping", hook: hook).id).row
            #expect(StoredBody.open(row) == body && row.isCompressed == (size > 1_000))
            let stored = try #require(row.body)
            for place in stored.indices {
                var damaged = row
                damaged.body?[place] ^= 0x10
                // Some bits of a packed frame mean nothing.
                let isWrong = StoredBody.open(damaged).map { $0 != body } ?? false
                #expect(!isWrong, "\(place)")
            }
            var cut = row
            cut.body?.removeLast()
            #expect(StoredBody.open(cut) == nil)
            var other = row
            other.bodyHash[0] ^= 1
            #expect(StoredBody.open(other) == nil)
        }
    }
}
