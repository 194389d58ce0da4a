import AnsFlowProtocol
import AnsFlowRecords
import Testing

/// Random and mutated bytes: nothing traps, and whatever is accepted means the same when it is encoded again.
struct DecoderFuzzTests {
    /// SplitMix64.
    struct Random: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    private static func mutate(_ bytes: [UInt8], _ random: inout Random) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let index = bytes.isEmpty ? 0 : Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: if !bytes.isEmpty { bytes[index] = UInt8.random(in: .min ... .max, using: &random) }
            case 1: if !bytes.isEmpty { bytes.remove(at: index) }
            case 2: bytes.insert(UInt8.random(in: .min ... .max, using: &random), at: index)
            case 3: bytes.removeLast(min(bytes.count, Int.random(in: 0...8, using: &random)))
            case 4: if !bytes.isEmpty { bytes[index] = UInt8(ascii: "9") }
            default: bytes.insert(contentsOf: bytes[index...].prefix(16), at: index)
            }
        }
        return bytes
    }

    @Test(arguments: 1...8)
    func controlMessages(_ seed: Int) throws {
        var random = Random(state: UInt64(seed))
        let seeds =
            Samples.agentMessages.map { Array($0.text.utf8) } + Samples.controllerMessages.map { Array($0.text.utf8) }
        var accepted = 0
        for _ in 0..<400 {
            let bytes = Self.mutate(seeds.randomElement(using: &random) ?? [], &random)
            if let message = try? WireCodec.decodeAgentMessage(bytes) {
                accepted += 1
                #expect(try WireCodec.decodeAgentMessage(try WireCodec.encode(message)) == message, "seed \(seed)")
            }
            if let message = try? WireCodec.decodeControllerMessage(bytes) {
                accepted += 1
                #expect(try WireCodec.decodeControllerMessage(try WireCodec.encode(message)) == message, "seed \(seed)")
            }
        }
        // Otherwise the mutations would say nothing about what is accepted.
        #expect(accepted > 2, "seed \(seed)")
    }

    @Test func noise() {
        var random = Random(state: 99)
        for _ in 0..<500 {
            let bytes = (0..<Int.random(in: 0...64, using: &random)).map { _ in
                UInt8.random(in: .min ... .max, using: &random)
            }
            if let message = try? WireCodec.decodeAgentMessage(bytes) {
                // JSON does not come about by chance: only the binary kind does.
                #expect(bytes.first == 1)
                #expect((try? WireCodec.encode(message)) == bytes)
            }
            #expect((try? WireCodec.decodeEnrolRequest(bytes)) == nil)
        }
    }
}
