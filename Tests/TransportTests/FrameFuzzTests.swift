import AnsFlowTransport
import NIOCore
import Testing

/// Random frames with faults, cut anywhere, against a slow reader that is written straight from the standard.
struct FrameFuzzTests {
    enum Event: Equatable {
        case frame(Frame)
        case violation
    }

    /// All of `bytes` at once, byte by byte, with no state to go wrong.
    static func reference(_ bytes: [UInt8], peerMasks: Bool, max: Int, fragments: Bool) -> [Event] {
        var events: [Event] = []
        var rest = bytes[...]
        while rest.count >= 1 {
            let first = rest[rest.startIndex]
            let control = first & 8 != 0
            guard first & 0x70 == 0, let opcode = Opcode(rawValue: first & 15), first & 0x80 != 0 || !control,
                fragments || (first & 0x80 != 0 && opcode != .continuation)
            else { return events + [.violation] }
            guard rest.count >= 2 else { return events }
            let second = rest[rest.startIndex + 1]
            guard (second & 0x80 != 0) == peerMasks, !control || second & 0x7F <= 125 else {
                return events + [.violation]
            }
            var index = rest.startIndex + 2
            var length = UInt64(second & 0x7F)
            if length > 125 {
                let size = length == 126 ? 2 : 8
                guard rest.endIndex - index >= size else { return events }
                length = rest[index..<index + size].reduce(0) { $0 << 8 | UInt64($1) }
                index += size
                guard length > (size == 2 ? 125 : 65_535) else { return events + [.violation] }
            }
            guard length <= UInt64(max) else { return events + [.violation] }
            var key: [UInt8] = [0, 0, 0, 0]
            if peerMasks {
                guard rest.endIndex - index >= 4 else { return events }
                key = Array(rest[index..<index + 4])
                index += 4
            }
            guard rest.endIndex - index >= Int(length) else { return events }
            let payload = rest[index..<index + Int(length)].enumerated().map { $1 ^ key[$0 % 4] }
            events.append(.frame(Frame(opcode, final: first & 0x80 != 0, payload: payload)))
            rest = rest[(index + Int(length))...]
        }
        return events
    }

    static func incremental(_ bytes: [UInt8], _ parser: FrameParser, _ random: inout Seeded) -> [Event] {
        var events: [Event] = []
        var buffer = ByteBuffer()
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Int.random(in: 1...rest.count, using: &random)
            buffer.writeBytes(rest.prefix(count))
            rest = rest.dropFirst(count)
            do {
                while let frame = try parser.next(&buffer) { events.append(.frame(frame)) }
            } catch {
                return events + [.violation]
            }
            _ = parser.wanted(buffer)
        }
        return events
    }

    static func stream(_ random: inout Seeded, peerMasks: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            let opcode: Opcode =
                [.binary, .binary, .text, .continuation, .ping, .pong, .close].randomElement(using: &random) ?? .binary
            let length = [0, 1, 7, 125, 126, 300, 1000, 65_536].randomElement(using: &random) ?? 0
            let payload = (0..<(opcode.isControl ? min(length, 125) : length)).map { _ in
                UInt8.random(in: .min ... .max, using: &random)
            }
            let final = opcode.isControl || Int.random(in: 0..<8, using: &random) > 0
            let mask: UInt32? = peerMasks ? UInt32.random(in: .min ... .max, using: &random) : nil
            bytes +=
                FrameWriter.encode(
                    Frame(opcode, final: final, payload: payload), mask: mask, allocator: ByteBufferAllocator()
                ).readableBytesView
        }
        for _ in 0..<Int.random(in: 0...2, using: &random) {
            // Near the front a fault hits a head more often than a payload.
            let index = Int.random(in: 0..<min(bytes.count, 40), using: &random)
            bytes[index] = UInt8.random(in: .min ... .max, using: &random)
        }
        return bytes
    }

    @Test(arguments: 1...12)
    func agreesWithTheReference(_ seed: Int) {
        var random = Seeded(state: UInt64(seed))
        var frames = 0
        var violations = 0
        for round in 0..<40 {
            let peerMasks = Bool.random(using: &random)
            let fragments = Bool.random(using: &random)
            let max = [1000, 70_000].randomElement(using: &random) ?? 1000
            let bytes = Self.stream(&random, peerMasks: peerMasks)
            let parser = FrameParser(.init(peerMasks: peerMasks, payloadMax: max, allowsFragments: fragments))
            let expected = Self.reference(bytes, peerMasks: peerMasks, max: max, fragments: fragments)
            let events = Self.incremental(bytes, parser, &random)
            #expect(events == expected, "seed \(seed), round \(round)")
            frames += expected.count
            violations += expected.last == .violation ? 1 : 0
        }
        // Otherwise the streams would say nothing about one side of it.
        #expect(frames > 40 && violations > 5, "seed \(seed)")
    }
}
