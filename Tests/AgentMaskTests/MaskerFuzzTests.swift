import AgentMask
import Foundation
import Testing

/// Changed samples: whatever a stream holds and however it is cut, no form of a secret comes out.
///
/// The samples lie in `Fixtures/mask`: secrets, one a line with `|` for a line feed, then `--`, then output. What once failed is added
/// there.
@Suite("Changed samples")
struct MaskerFuzzTests {
    private struct Sample {
        var secrets: [[UInt8]]
        var text: [UInt8]
    }

    /// SplitMix64, so that a failing case can be run again.
    private struct Numbers: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    private static func samples() throws -> [Sample] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures/mask")
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map { name in
            let bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent(name)))
            let mark = try #require(Data(bytes).range(of: Data("\n--\n".utf8)))
            let secrets = bytes[..<mark.lowerBound].split(separator: 10).map { line in
                line.map { $0 == UInt8(ascii: "|") ? 10 : $0 }
            }
            return Sample(secrets: secrets, text: Array(bytes[mark.upperBound...]))
        }
    }

    /// The ways in which the usual tools write a secret, made by others' code than the masker's.
    private static func forms(_ secret: [UInt8]) -> [[UInt8]] {
        let hex = secret.map { String(format: "%02x", $0) }.joined()
        var forms = [secret, Array(hex.utf8), Array(hex.uppercased().utf8)]
        for shift in 0..<3 {
            let text = Data([UInt8](repeating: 120, count: shift) + secret).base64EncodedString()
            // Without the characters that neighbours decide too.
            let isWhole = ((shift + secret.count) * 8).isMultiple(of: 6)
            let inner = text.filter { $0 != "=" }.dropFirst(shift == 0 ? 0 : shift + 1).dropLast(isWhole ? 0 : 1)
            forms.append(Array(inner.utf8))
        }
        if let text = String(validating: secret, as: UTF8.self),
            let percent = text.addingPercentEncoding(
                withAllowedCharacters: CharacterSet(
                    charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"))
        {
            forms.append(Array(percent.utf8))
        }
        return forms.filter { $0.count >= Masker.minimumBytes }
    }

    private func run(_ secrets: [[UInt8]], _ text: [UInt8], _ random: inout Numbers) -> [UInt8] {
        var masker = Masker(secrets: secrets)
        var output: [UInt8] = []
        var rest = text[...]
        while !rest.isEmpty {
            let count = Int.random(in: 1...9, using: &random)
            masker.feed(Array(rest.prefix(count)), into: &output)
            rest = rest.dropFirst(count)
        }
        masker.finish(into: &output)
        return output
    }

    @Test("give no secret away", arguments: 0..<8)
    func mutations(_ lane: Int) throws {
        var random = Numbers(state: UInt64(lane) &+ 77)
        let samples = try Self.samples()
        #expect(samples.count >= 5)
        for round in 0..<150 {
            let sample = samples[round % samples.count]
            var text = sample.text
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let place = Int.random(in: 0...text.count, using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0: text.insert(UInt8.random(in: 0...255, using: &random), at: place)
                case 1:
                    let secret = sample.secrets.randomElement(using: &random) ?? []
                    text.insert(contentsOf: Self.forms(secret).randomElement(using: &random) ?? secret, at: place)
                case 2: text.removeSubrange(place..<min(text.count, place + Int.random(in: 1...8, using: &random)))
                case 3: text.insert(contentsOf: text[place..<min(text.count, place + 30)], at: 0)
                default: text.append(contentsOf: (sample.secrets.first ?? []).prefix(5))
                }
            }
            let whole = Masker(secrets: sample.secrets).masked(text)
            #expect(run(sample.secrets, text, &random) == whole, "lane \(lane), round \(round)")
            for secret in sample.secrets {
                for form in Self.forms(secret) {
                    #expect(
                        Data(whole).range(of: Data(form)) == nil,
                        "lane \(lane), round \(round): \(String(decoding: form, as: UTF8.self))")
                }
            }
        }
    }
}
