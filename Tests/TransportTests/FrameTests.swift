import AnsFlowTransport
import NIOCore
import Testing

struct MaskingTests {
    @Test func wordsEqualBytes() {
        var generator = Seeded(state: 1)
        for length in Array(0...40) + [1000, 65_537] {
            let key = UInt32.random(in: .min ... .max, using: &generator)
            let plain = (0..<length).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            let keyBytes = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: key >> UInt32($0)) }
            let slow = plain.enumerated().map { $1 ^ keyBytes[$0 % 4] }
            var fast = plain
            fast.withUnsafeMutableBytes { Masking.apply(key, to: $0) }
            #expect(fast == slow, "length \(length)")
            fast.withUnsafeMutableBytes { Masking.apply(key, to: $0) }
            #expect(fast == plain, "length \(length)")
        }
    }

    @Test func aPartOfABufferIsMaskedFromItsOwnFirstByte() {
        var bytes = [UInt8](repeating: 0, count: 11)
        bytes.withUnsafeMutableBytes {
            Masking.apply(0x0102_0304, to: UnsafeMutableRawBufferPointer(rebasing: $0[3...]))
        }
        #expect(bytes == [0, 0, 0, 1, 2, 3, 4, 1, 2, 3, 4])
    }
}

struct FrameParserTests {
    static let server = FrameParser(.init(peerMasks: true, payloadMax: 256 * 1024))
    static let client = FrameParser(.init(peerMasks: false, payloadMax: 256 * 1024))

    private func violation(_ bytes: [UInt8], _ parser: FrameParser = server) -> FrameViolation? {
        var buffer = ByteBuffer(bytes: bytes)
        do {
            _ = try parser.next(&buffer)
            return nil
        } catch {
            return error
        }
    }

    /// From RFC 6455, section 5.7.
    @Test func examplesOfTheStandard() throws {
        var masked = ByteBuffer(bytes: [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58])
        #expect(try Self.server.next(&masked) == Frame(.text, payload: Array("Hello".utf8)))
        var bare = ByteBuffer(bytes: [0x8a, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f])
        #expect(try Self.client.next(&bare) == Frame(.pong, payload: Array("Hello".utf8)))
    }

    @Test(arguments: [0, 1, 125, 126, 127, 65_535, 65_536, 256 * 1024], [nil, 0, 0xDEAD_BEEF] as [UInt32?])
    func framesAreReadBack(_ length: Int, _ mask: UInt32?) throws {
        let frame = Frame(.binary, payload: (0..<length).map { UInt8(truncatingIfNeeded: $0) })
        let parser = mask == nil ? Self.client : Self.server
        let encoded = FrameWriter.encode(frame, mask: mask, allocator: ByteBufferAllocator())
        var whole = encoded
        #expect(try parser.next(&whole) == frame)
        #expect(whole.readableBytes == 0)
        var short = encoded.getSlice(at: 0, length: encoded.readableBytes - 1) ?? ByteBuffer()
        #expect(try parser.next(&short) == nil)
        #expect(short.readableBytes == encoded.readableBytes - 1)
    }

    @Test func violationsAreSeenInTheHead() {
        #expect(violation([0xC2])?.kind == .malformed, "reserved bit")
        #expect(violation([0x83])?.kind == .malformed, "unknown opcode")
        #expect(violation([0x02])?.kind == .malformed, "FIN=0")
        #expect(violation([0x80])?.kind == .malformed, "continuation")
        #expect(violation([0x09])?.kind == .malformed, "fragmented ping")
        #expect(violation([0x82, 0x05])?.kind == .malformed, "unmasked from a client")
        #expect(violation([0x82, 0x85], Self.client)?.kind == .malformed, "masked from a server")
        #expect(violation([0x89, 0xFE])?.kind == .malformed, "long ping")
        #expect(violation([0x82, 0xFE, 0, 125])?.kind == .malformed, "126 for a short length")
        #expect(violation([0x82, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF])?.kind == .malformed, "127 for a short length")
        #expect(violation([0x82, 0xFF, 0, 0, 0, 0, 0, 4, 0, 0]) == nil, "256 KiB, key to come")
        #expect(violation([0x82, 0xFF, 0, 0, 0, 0, 0, 4, 0, 1])?.kind == .tooLarge, "256 KiB and one")
        #expect(violation([0x82, 0xFF, 0, 0, 0, 0, 1, 0x90, 0, 0])?.kind == .tooLarge, "100 times")
        #expect(violation([0x82, 0xFF] + [UInt8](repeating: 0xFF, count: 8))?.kind == .tooLarge, "top bit set")
    }

    @Test func closeFrames() throws {
        #expect(try FrameWriter.readClose([]).code == 1005)
        let read = try FrameWriter.readClose(FrameWriter.closePayload(4409, "no"))
        #expect(read.code == 4409 && read.reason == "no")
        #expect(throws: FrameViolation.self) { try FrameWriter.readClose([3]) }
        for code in [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65_535] as [UInt16] {
            #expect(throws: FrameViolation.self) { try FrameWriter.readClose(FrameWriter.closePayload(code, "")) }
        }
        #expect(throws: FrameViolation.self) { try FrameWriter.readClose([0x03, 0xE8, 0xFF]) }
        let long = FrameWriter.closePayload(1000, String(repeating: "\u{e4}", count: 100))
        #expect(long.count <= 125)
        #expect(try FrameWriter.readClose(long).reason == String(repeating: "\u{e4}", count: 61))
    }
}

struct ControllerAddressTests {
    @Test func addresses() throws {
        #expect(try ControllerAddress(parsing: "https://ci:9000") == ControllerAddress(host: "ci", port: 9000))
        #expect(try ControllerAddress(parsing: "https://ci.example.org/").port == 8443)
        #expect(try ControllerAddress(parsing: "https://[::1]:1").authority == "[::1]:1")
        for text in [
            "", "http://ci", "ci:1", "https://", "https://ci:0", "https://ci:65536", "https://ci:x", "https://a/b",
            "https://a b", "https://a@b", "https://[::1", "https://a?x", "https://a\r\nb", "https://:1",
            "https://" + String(repeating: "a", count: 1000),
        ] {
            #expect(throws: DialError.self, "\(text)") { try ControllerAddress(parsing: text) }
        }
    }
}

struct AddressLimiterTests {
    @Test func countsByAddressAndInAll() {
        let limiter = AddressLimiter(perAddressMax: 2, totalMax: 3)
        let first = limiter.admit("a")
        let second = limiter.admit("a")
        #expect(first != nil && second != nil)
        #expect(limiter.admit("a") == nil)
        let third = limiter.admit("b")
        #expect(third != nil)
        #expect(limiter.admit("c") == nil)
        first?.release()
        first?.release()
        #expect(limiter.total == 2)
        #expect(limiter.admit("c") != nil)
    }
}

/// SplitMix64.
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
