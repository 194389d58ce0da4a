// Checks of the record format that need no package: run by the quickstart's pipeline.

var failures = 0
var done = 0

@MainActor func check(_ good: Bool, _ what: @autoclosure () -> String) {
    done += 1
    if good { return }
    failures += 1
    print("FAILED: \(what())")
}

/// A small generator with a fixed seed (SplitMix64), so that a failure comes back.
struct Numbers {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

let arguments = CommandLine.arguments
let count = arguments.firstIndex(of: "--count").flatMap { Int(arguments[$0 + 1]) } ?? 500

// RFC 3720, appendix B.4.
check(CRC32C.checksum(Array("123456789".utf8)) == 0xE306_9283, "checksum of 123456789")
check(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA, "checksum of zeros")
check(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43, "checksum of ones")
print("known checksums: \(done) checks")

var numbers = Numbers(state: 42)
for round in 0..<count {
    let bytes = (0..<Int(numbers.next() % 3000 + 1)).map { _ in UInt8(truncatingIfNeeded: numbers.next()) }
    check(CRC32C.checksum(bytes) == CRC32C.portable(bytes), "round \(round): instruction and table differ")
    let offset = numbers.next() >> 8
    let encoded = LogRecord.encode(offset: offset, time: UInt64(round), bytes: bytes)
    encoded.withUnsafeBytes { raw in
        var reader = ByteReader(raw)
        let record = LogRecord(header: &reader)
        let body = UnsafeRawBufferPointer(rebasing: raw[LogRecord.headerSize...])
        check(record?.offset == offset && record?.length == UInt32(bytes.count), "round \(round): header")
        check(record?.matches(body) == true, "round \(round): body")
    }
    var damaged = encoded
    damaged[LogRecord.headerSize + Int(numbers.next() % UInt64(bytes.count))] ^= 1 << UInt8(numbers.next() % 8)
    damaged.withUnsafeBytes { raw in
        var reader = ByteReader(raw)
        let body = UnsafeRawBufferPointer(rebasing: raw[LogRecord.headerSize...])
        check(LogRecord(header: &reader)?.matches(body) != true, "round \(round): a flipped bit was not noticed")
    }
    if (round + 1) % 500 == 0 { print("records: \(round + 1) of \(count)") }
}
print("\(done) checks, \(failures) failed")
if failures > 0 { fatalError("the record format is broken") }
