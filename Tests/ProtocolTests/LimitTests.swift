import AnsFlowProtocol
import Testing

/// Each limit is tried at itself, one above, and a hundred times above.
struct LimitTests {
    private func accepts(_ message: AgentMessage) -> Bool {
        guard let bytes = try? WireCodec.encode(message) else { return false }
        return (try? WireCodec.decodeAgentMessage(bytes)) == message
    }

    /// Sends past the encoder's own check, as a hostile agent would.
    private func refused(_ text: String) -> Bool {
        (try? WireCodec.decodeAgentMessage(Array(text.utf8))) == nil
    }

    @Test func slots() {
        for (slots, good) in [(0, false), (1, true), (256, true), (257, false), (25_600, false)] {
            var hello = Samples.hello
            hello.slots = slots
            #expect(accepts(.hello(hello)) == good, "\(slots)")
        }
    }

    @Test func attemptsInHello() {
        for (count, good) in [(0, true), (512, true), (513, false), (51_200, false)] {
            var hello = Samples.hello
            hello.attempts = (0..<count).map {
                Hello.Known(attempt: AttemptID(Int64($0 + 1)), state: .exited, spooled: 0)
            }
            #expect(accepts(.hello(hello)) == good, "\(count)")
        }
    }

    @Test func anAttemptIsNamedOnce() {
        var hello = Samples.hello
        hello.attempts += hello.attempts
        #expect(!accepts(.hello(hello)))
    }

    @Test func labels() {
        for (count, good) in [(64, true), (65, false), (6400, false)] {
            var hello = Samples.hello
            hello.labels = Dictionary(uniqueKeysWithValues: (0..<count).map { ("k\($0)", "v") })
            #expect(accepts(.hello(hello)) == good, "\(count)")
        }
        for (length, good) in [(128, true), (129, false), (12_800, false)] {
            var hello = Samples.hello
            hello.labels = ["k": String(repeating: "v", count: length)]
            #expect(accepts(.hello(hello)) == good, "\(length)")
        }
    }

    @Test func reasons() {
        for (length, good) in [(1024, true), (1025, false), (102_400, false)] {
            let text = String(repeating: "r", count: length)
            #expect(accepts(.declined(AttemptID(1), reason: text)) == good, "\(length)")
            var finish = Samples.finish
            finish.message = text
            #expect(accepts(.finish(finish)) == good, "\(length)")
        }
    }

    @Test func outputs() {
        for (length, good) in [(64 * 1024 - 1, true), (64 * 1024, false)] {
            var finish = Samples.finish
            finish.outputs = ["k": String(repeating: "v", count: length)]
            #expect(accepts(.finish(finish)) == good, "\(length)")
        }
    }

    @Test func totals() {
        let limit = ProtocolLimits.logBytesMax
        for (total, good) in [(limit, true), (limit + 1, false), (UInt64.max, false)] {
            let end = LogEnd(attempt: AttemptID(1), total: total, sha256: nil, dropped: nil)
            #expect(accepts(.eof(end)) == good, "\(total)")
        }
    }

    @Test func hashes() {
        let good = String(repeating: "a0", count: 32)
        for (hash, allowed) in [(good, true), (good + "0", false), (good.uppercased(), false), ("", false)] {
            let end = LogEnd(attempt: AttemptID(1), total: 1, sha256: hash, dropped: nil)
            #expect(accepts(.eof(end)) == allowed, "\(hash)")
        }
    }

    @Test func gaps() {
        #expect(accepts(.gap(AttemptID(1), offset: 0, length: 1, reason: "")))
        #expect(!accepts(.gap(AttemptID(1), offset: 0, length: 0, reason: "")))
        #expect(!accepts(.gap(AttemptID(1), offset: .max, length: 1, reason: "")))
        #expect(!accepts(.gap(AttemptID(1), offset: 1, length: .max, reason: "")))
        #expect(!accepts(.gap(AttemptID(1), offset: UInt64(Int64.max), length: 1, reason: "")))
    }

    @Test func controlMessages() {
        let limit = ProtocolLimits.controlMessageBytesMax
        for (length, good) in [(limit, true), (limit + 1, false), (limit * 100, false)] {
            let frame = #"{"attempt":1,"type":"started","x":""#
            let text = frame + String(repeating: "x", count: length - frame.utf8.count - 2) + #""}"#
            #expect(refused(text) == !good, "\(length)")
        }
    }

    @Test func logMessages() {
        let limit = ProtocolLimits.logMessageBytesMax
        for (length, good) in [(9, false), (10, true), (limit, true), (limit + 1, false), (limit * 100, false)] {
            let bytes = [1] + [UInt8](repeating: 0, count: length - 1)
            #expect(((try? WireCodec.decodeAgentMessage(bytes)) != nil) == good, "\(length)")
        }
    }

    @Test func nonsenseIsRefusedWithASentence() {
        for text in ["", "{}", "null", "[]", "{\"type\":\"fly\"}", "{\"type\":7}", "{\"type\":\"hello\"}", "\u{0}"] {
            #expect(throws: WireError.self) { try WireCodec.decodeAgentMessage(Array(text.utf8)) }
            #expect(throws: WireError.self) { try WireCodec.decodeControllerMessage(Array(text.utf8)) }
        }
        // The depth of JSON is bounded by its decoder, not by our stack.
        let deep = String(repeating: "[", count: 100_000)
        #expect(refused(#"{"type":"started","attempt":"# + deep))
    }

    @Test func versions() {
        #expect(ProtocolVersion.negotiate(minimum: 1, maximum: 1) == 1)
        #expect(ProtocolVersion.negotiate(minimum: 1, maximum: 9) == 1)
        #expect(ProtocolVersion.negotiate(minimum: 2, maximum: 9) == nil)
        #expect(ProtocolVersion.negotiate(minimum: 0, maximum: 0) == nil)
        #expect(ProtocolVersion.negotiate(minimum: 9, maximum: 1) == nil)
        #expect(ProtocolVersion.negotiate(minimum: .min, maximum: .max) == 1)
    }

    @Test func closeCodes() {
        #expect(CloseCode.allCases.filter { !$0.mayRedial } == [.revoked])
    }
}
