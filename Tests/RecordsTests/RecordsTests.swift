import AnsFlowRecords
import Testing

@Suite("Checksum")
struct ChecksumTests {
    @Test("known values")
    func known() {
        // RFC 3720, appendix B.4.
        #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xE306_9283)
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(CRC32C.checksum([UInt8](0..<32)) == 0x46DD_794E)
        #expect(CRC32C.checksum([] as [UInt8]) == 0)
    }

    @Test("instruction and table agree, at once and in pieces")
    func agreement() {
        let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        for count in 0...bytes.count {
            let part = Array(bytes[..<count])
            let sum = CRC32C.checksum(part)
            #expect(CRC32C.portable(part) == sum)
            let half = count / 2
            #expect(CRC32C.checksum(part[half...], continuing: CRC32C.checksum(part[..<half])) == sum)
        }
    }
}

@Suite("Byte reader")
struct ByteReaderTests {
    @Test("values come back in order, and nothing is read past the end")
    func order() {
        var bytes: [UInt8] = []
        bytes.append(integer: UInt8(7))
        bytes.append(integer: Int64(-2))
        bytes.append(text: "f\u{FC}r")
        bytes.append(sized: [1, 2, 3])
        for count in 0...bytes.count {
            Array(bytes[..<count]).withUnsafeBytes { raw in
                var reader = ByteReader(raw)
                let small = reader.integer(UInt8.self)
                let large = small == nil ? nil : reader.integer(Int64.self)
                let text = large == nil ? nil : reader.text(limit: 10)
                let rest = text == nil ? nil : reader.sized(limit: 3)
                #expect(small == (count >= 1 ? 7 : nil))
                #expect(large == (count >= 9 ? -2 : nil))
                #expect(text == (count >= 17 ? "f\u{FC}r" : nil))
                #expect(rest.map { Array($0) } == (count == bytes.count ? [1, 2, 3] : nil))
                #expect(reader.remaining >= 0)
            }
        }
    }

    @Test("limits and invalid text are refused")
    func refused() {
        var bytes: [UInt8] = []
        bytes.append(sized: [0xC3, 0x28])
        bytes.withUnsafeBytes { raw in
            var reader = ByteReader(raw)
            #expect(reader.text(limit: 10) == nil)
            var limited = ByteReader(raw)
            #expect(limited.sized(limit: 1) == nil)
            var negative = ByteReader(raw)
            #expect(negative.slice(-1) == nil)
        }
        let huge = [UInt8](repeating: 0xFF, count: 8)
        huge.withUnsafeBytes { raw in
            var reader = ByteReader(raw)
            #expect(reader.sized(limit: .max) == nil)
        }
    }
}

@Suite("Log records")
struct LogRecordTests {
    @Test("come back as they were written")
    func roundTrip() {
        let bytes = Array("hello".utf8)
        let encoded = LogRecord.encode(offset: 1 << 40, time: 12, bytes: bytes)
        encoded.withUnsafeBytes { raw in
            var reader = ByteReader(raw)
            let record = LogRecord(header: &reader)
            #expect(record?.offset == 1 << 40)
            #expect(record?.end == 1 << 40 + 5)
            #expect(record?.time == 12)
            #expect(record?.encodedSize == encoded.count)
            #expect(reader.slice(5).map { record?.matches($0) == true } == true)
        }
    }

    @Test("the format stays readable: these bytes are a record")
    func golden() {
        let head: [UInt8] = [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0]
        var expected = head
        expected.append(integer: CRC32C.portable(head + [65, 66, 67]))
        #expect(LogRecord.encode(offset: 1, time: 2, bytes: [65, 66, 67]) == expected + [65, 66, 67])
    }

    @Test("any changed bit is noticed")
    func damaged() {
        let encoded = LogRecord.encode(offset: 3, time: 4, bytes: [9, 8, 7])
        for index in encoded.indices {
            for bit in 0..<8 {
                var changed = encoded
                changed[index] ^= 1 << UInt8(bit)
                changed.withUnsafeBytes { raw in
                    var reader = ByteReader(raw)
                    guard let record = LogRecord(header: &reader), let body = reader.slice(Int(record.length)) else {
                        return
                    }
                    #expect(!record.matches(body), "byte \(index), bit \(bit)")
                }
            }
        }
    }

    @Test("lengths and offsets that are not allowed are refused")
    func limits() {
        for (offset, length) in [(0, 0), (0, 65_537), (UInt64(Int64.max), 1), (.max, 1)] as [(UInt64, UInt32)] {
            var bytes: [UInt8] = []
            bytes.append(integer: offset)
            bytes.append(integer: UInt64(0))
            bytes.append(integer: length)
            bytes.append(integer: UInt32(0))
            bytes.withUnsafeBytes { raw in
                var reader = ByteReader(raw)
                #expect(LogRecord(header: &reader) == nil)
            }
        }
    }

    @Test("a file's header binds it to its attempt")
    func header() {
        let header = LogFileHeader(attempt: 77).encoded()
        #expect(header.count == LogFileHeader.size)
        header.withUnsafeBytes { #expect(LogFileHeader($0)?.attempt == 77) }
        for index in header.indices {
            var changed = header
            changed[index] ^= 4
            changed.withUnsafeBytes { #expect(LogFileHeader($0) == nil) }
        }
        for count in 0..<header.count {
            Array(header[..<count]).withUnsafeBytes { #expect(LogFileHeader($0) == nil) }
        }
    }
}
