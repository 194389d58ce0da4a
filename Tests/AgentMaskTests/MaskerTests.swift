import AgentMask
import Testing

/// The bytes of a text.
private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// What a masker makes of `text` in one piece.
private func mask(_ text: String, _ secrets: String...) -> String {
    Masker(secrets: secrets.map(bytes)).masked(text)
}

@Suite("Masking")
struct MaskerTests {
    @Test("without secrets everything passes at once")
    func passThrough() {
        var masker = Masker()
        var output: [UInt8] = []
        masker.feed(bytes("plain"), into: &output)
        #expect(output == bytes("plain"))
        #expect(masker.isEmpty)
    }

    @Test("every occurrence is replaced; neighbours and overlaps become one")
    func occurrences() {
        #expect(mask("a s3cret b s3cret", "s3cret") == "a *** b ***")
        #expect(mask("s3crets3cret", "s3cret") == "***")
        #expect(mask("xabcabcy", "abca", "cabc") == "x***y")
        #expect(mask("xababababy", "abab") == "x***y")
        #expect(mask("password1234", "password", "password1234") == "***")
        #expect(mask("password12", "password", "password1234") == "***12")
        #expect(mask("s3cre s3cre", "s3cret") == "s3cre s3cre")
    }

    @Test("secrets that are too short are left alone")
    func short() {
        #expect(mask("abc abc", "abc") == "abc abc")
        #expect(!Masker.isMaskable(bytes("abc")))
        #expect(!Masker.isMaskable(bytes(" abc\n")))
        #expect(Masker.isMaskable(bytes("abcd")))
        var masker = Masker()
        let taken = ["abc", "", "abcd"].map { masker.add(secret: bytes($0)) }
        #expect(taken == [false, false, true])
    }

    @Test("lines of a secret, and line ends around it")
    func lines() {
        let key = "-----BEGIN-----\r\nMIIEabcdef\nxyz\nlastline\n"
        #expect(mask("got MIIEabcdef and lastline xyz", key) == "got *** and *** xyz")
        #expect(mask("[topsecret]", "topsecret\n") == "[***]")
    }

    @Test("base64 at all three alignments, in both alphabets")
    func base64() {
        // printf 'hunter2secret', 'xhunter2secret', 'xxhunter2secret' | base64
        #expect(mask("aHVudGVyMnNlY3JldA==", "hunter2secret") == "***A==")
        #expect(mask("eGh1bnRlcjJzZWNyZXQ=", "hunter2secret") == "eG***Q=")
        #expect(mask("eHhodW50ZXIyc2VjcmV0", "hunter2secret") == "eHh***")
        // printf '\xfb\xff\xfe\xfb\xff\xfe' | base64
        let raw: [UInt8] = [0xFB, 0xFF, 0xFE, 0xFB, 0xFF, 0xFE]
        #expect(Masker(secrets: [raw]).masked("+//++//+ -__--__-") == "*** ***")
    }

    @Test("base64 broken into lines of 76")
    func wrappedBase64() {
        let secret = String(repeating: "0123456789", count: 9)
        let encoded = """
            MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2
            Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5
            """
        #expect(mask("<\(encoded)>", secret) == "<***>")
    }

    @Test("hex and percent-encoding")
    func encodings() {
        #expect(mask("70617373776f7264 70617373776F7264", "password") == "*** ***")
        #expect(mask("q=p%40ss%20w%2fd&r=p%40ss%20w%2Fd&s=p%40ss+w/d", "p@ss w/d") == "q=***&r=***&s=***")
    }

    @Test("a secret that is added later is masked from there on, also in what is held back")
    func added() {
        var masker = Masker(secrets: [bytes("first-secret")])
        var output: [UInt8] = []
        masker.feed(bytes("second-one first-sec"), into: &output)
        #expect(masker.heldBytes == 9)
        masker.add(secret: bytes("second-one"))
        masker.feed(bytes("ond second-one"), into: &output)
        masker.finish(into: &output)
        #expect(String(decoding: output, as: UTF8.self) == "second-one first-second ***")
    }

    @Test("only a possible beginning is held back")
    func heldBack() {
        var masker = Masker(secrets: [bytes("s3cret")])
        var output: [UInt8] = []
        masker.feed(bytes("see s3"), into: &output)
        #expect(output == bytes("see "))
        masker.feed(bytes("x"), into: &output)
        #expect(output == bytes("see s3x"))
        masker.feed(bytes("s3cret!"), into: &output)
        #expect(output == bytes("see s3x***!"))
        #expect(masker.heldBytes == 0)
    }

    @Test("a secret of 64 KiB, byte by byte at its edges")
    func large() {
        let secret = (0..<65_536).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        var masker = Masker(secrets: [secret])
        var output: [UInt8] = []
        for piece in [[1, 2], Array(secret[..<1]), Array(secret[1..<65_535]), Array(secret[65_535...]), [3]] {
            masker.feed(piece, into: &output)
        }
        masker.finish(into: &output)
        #expect(output == [1, 2] + Masker.replacement + [3])
    }
}

@Suite("Masking does not depend on how a stream is cut")
struct MaskerSplitTests {
    /// A small reproducible source of numbers (SplitMix64, public domain).
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

    /// The plain way: mark every byte of every occurrence, then replace each stretch.
    private func reference(_ text: [UInt8], _ secrets: [[UInt8]]) -> [UInt8] {
        var isMasked = [Bool](repeating: false, count: text.count)
        for secret in secrets where secret.count <= text.count {
            for place in 0...text.count - secret.count where text[place..<place + secret.count].elementsEqual(secret) {
                for index in place..<place + secret.count { isMasked[index] = true }
            }
        }
        var output: [UInt8] = []
        for (index, byte) in text.enumerated() {
            if !isMasked[index] {
                output.append(byte)
            } else if index == 0 || !isMasked[index - 1] {
                output += Masker.replacement
            }
        }
        return output
    }

    private func feed(_ pieces: [ArraySlice<UInt8>], _ secrets: [[UInt8]]) -> [UInt8] {
        var masker = Masker(secrets: secrets)
        var output: [UInt8] = []
        for piece in pieces { masker.feed(Array(piece), into: &output) }
        masker.finish(into: &output)
        return output
    }

    @Test("two letters, overlapping secrets, every cut", arguments: 0..<60)
    func everyCut(_ seed: UInt64) {
        var numbers = Numbers(state: seed)
        let letters = bytes("ab")
        let secrets = (0..<Int.random(in: 1...3, using: &numbers)).map { _ in
            (0..<Int.random(in: 4...7, using: &numbers)).map { _ in letters[Int.random(in: 0...1, using: &numbers)] }
        }
        let text = (0..<60).map { _ in letters[Int.random(in: 0...1, using: &numbers)] }
        let expected = reference(text, secrets)
        for cut in 0...text.count {
            #expect(feed([text[..<cut], text[cut...]], secrets) == expected, "cut at \(cut)")
        }
        #expect(feed(text.indices.map { text[$0...$0] }, secrets) == expected, "byte by byte")
    }

    @Test("realistic logs in random pieces hold no secret", arguments: 0..<40)
    func pieces(_ seed: UInt64) {
        var numbers = Numbers(state: seed &+ 1000)
        let secrets = ["hunter2secret", "tok_9f8e7d6c5b4a", "line one\nline two of it"].map(bytes)
        let parts = [
            "ok 17 ", "hunter2secret", "hunter2", "tok_9f8e7d6c5b4a", "tok_", "line two of it", "\n",
            "aHVudGVyMnNlY3JldA==",
        ]
        let text = (0..<40).flatMap { _ in bytes(parts.randomElement(using: &numbers) ?? "") }
        let whole = feed([text[...]], secrets)
        var pieces: [ArraySlice<UInt8>] = []
        var at = 0
        while at < text.count {
            let end = min(text.count, at + Int.random(in: 1...9, using: &numbers))
            pieces.append(text[at..<end])
            at = end
        }
        #expect(feed(pieces, secrets) == whole)
        let shown = String(decoding: whole, as: UTF8.self)
        for word in ["hunter2secret", "tok_9f8e7d6c5b4a", "line two of it", "HVudGVyMnNlY3Jld"] {
            #expect(!shown.contains(word))
        }
    }
}
