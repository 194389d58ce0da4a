/// Takes secrets out of a stream of bytes.
///
/// Every byte that belongs to an occurrence of a secret is left out, and each unbroken stretch of such bytes is replaced by one
/// ``replacement``. Besides a secret itself its lines, base64, hex and percent-encoded forms are found. What comes out does not
/// depend on how the stream was cut into pieces. Only bytes that could begin a secret are held back.
///
/// This guards against accidents. A step that wants to print its secret can always change it beyond recognition.
package struct Masker: Sendable {
    package static let replacement = Array("***".utf8)
    /// Shorter secrets are not masked: they would hit ordinary text.
    package static let minimumBytes = 4

    private var forms: Set<[UInt8]> = []
    private var index = PatternIndex([])
    /// Bytes that may begin a secret; nothing of them was put out.
    private var held: [UInt8] = []
    /// Where in the stream `held` begins.
    private var position = 0
    /// Where in the stream the newest stretch of masked bytes ends.
    private var maskedEnd = -1

    package init(secrets: [[UInt8]] = []) {
        for secret in secrets { forms.formUnion(SecretForms.forms(of: secret)) }
        index = PatternIndex(forms)
    }

    /// Whether a secret is long enough, blanks around it not counted.
    package static func isMaskable(_ secret: [UInt8]) -> Bool {
        SecretForms.trimmed(secret[...]).count >= minimumBytes
    }

    /// Whether nothing is masked.
    package var isEmpty: Bool { index.isEmpty }
    /// Bytes taken and not put out yet.
    package var heldBytes: Int { held.count }

    /// Masks one more secret in all bytes that were not put out yet.
    ///
    /// - Returns: Whether it is long enough.
    @discardableResult
    package mutating func add(secret: [UInt8]) -> Bool {
        let new = SecretForms.forms(of: secret)
        if !new.isSubset(of: forms) {
            forms.formUnion(new)
            index = PatternIndex(forms)
        }
        return !new.isEmpty
    }

    /// Takes the next bytes of the stream and appends to `output` what is decided.
    package mutating func feed(_ bytes: UnsafeRawBufferPointer, into output: inout [UInt8]) {
        if index.isEmpty && held.isEmpty {
            output.append(contentsOf: bytes)
            position += bytes.count
        } else if held.isEmpty {
            scan(bytes, isEnd: false, into: &output)
        } else {
            held.append(contentsOf: bytes)
            let whole = held
            whole.withUnsafeBytes { scan($0, isEnd: false, into: &output) }
        }
    }

    package mutating func feed(_ bytes: [UInt8], into output: inout [UInt8]) {
        bytes.withUnsafeBytes { feed($0, into: &output) }
    }

    /// The stream has ended: puts out what was held back.
    package mutating func finish(into output: inout [UInt8]) {
        let whole = held
        whole.withUnsafeBytes { scan($0, isEnd: true, into: &output) }
    }

    /// A text of its own, such as an error message, without secrets.
    package func masked(_ text: String) -> String { String(decoding: masked(Array(text.utf8)), as: UTF8.self) }

    /// Bytes of their own, such as a small file's, without secrets.
    package func masked(_ bytes: [UInt8]) -> [UInt8] {
        var copy = self
        copy.held = []
        copy.position = 0
        copy.maskedEnd = -1
        var output: [UInt8] = []
        copy.feed(bytes, into: &output)
        copy.finish(into: &output)
        return output
    }

    /// Goes through `text`, which begins at ``position``, up to its end or the first place that more text must decide.
    private mutating func scan(_ text: UnsafeRawBufferPointer, isEnd: Bool, into output: inout [UInt8]) {
        // Up to here, in `text`, bytes are put out or masked.
        var done = max(0, maskedEnd - position)
        var at = 0
        var stop = text.count
        places: while at < text.count {
            let candidate = index.nextCandidate(in: text, from: at)
            guard candidate < text.count else { break }
            switch index.match(text, at: candidate, isEnd: isEnd) {
            case .nothing: break
            case .cut:
                stop = candidate
                break places
            case .whole(let length):
                if position + candidate > maskedEnd {
                    output.append(contentsOf: text[done..<candidate])
                    output.append(contentsOf: Self.replacement)
                }
                maskedEnd = max(maskedEnd, position + candidate + length)
                done = maskedEnd - position
            }
            at = candidate + 1
        }
        if done < stop { output.append(contentsOf: text[done..<stop]) }
        held = stop < text.count ? [UInt8](text[stop...]) : []
        position += stop
    }
}
