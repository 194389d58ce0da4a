import NIOCore
import Testing

@testable import AnsFlowTransport

@Suite struct FrameInputTests {
    /// A stream in which every read ends within a frame: what was parsed is let go, so memory does not grow with what came.
    @Test(arguments: [1_000, 70_000, 200_000]) func memoryDoesNotGrowWithTheStream(payloadBytes: Int) throws {
        var input = FrameInput(.init(peerMasks: true, payloadMax: 1 << 20))
        let payload = (0..<payloadBytes).map { UInt8(truncatingIfNeeded: $0 * 7) }
        let frame = FrameWriter.encode(
            Frame(.binary, payload: payload), mask: 0xA1B2_C3D4, allocator: ByteBufferAllocator())
        let whole = Array(frame.readableBytesView)
        // The last of them is never whole.
        let count = 8_000_000 / whole.count
        let readBytes = 16_000
        var pending: [UInt8] = []
        var found = 0
        var most = 0
        for index in 0...count {
            pending += index == count ? Array(whole.dropLast(500)) : whole
            while pending.count >= readBytes {
                let cut = pending.count % whole.count == 0 ? readBytes - 1 : readBytes
                input.append(ByteBuffer(bytes: pending.prefix(cut)))
                pending.removeFirst(cut)
                while let next = try input.next() {
                    #expect(next.payload == payload)
                    found += 1
                }
                most = max(most, input.capacity)
            }
        }
        #expect(found >= count - 16 * readBytes / whole.count - 1)
        #expect(most <= 4 * max(whole.count, readBytes), "\(most) bytes held")
    }

    @Test func aHeadThatIsCutOffWaits() throws {
        var input = FrameInput(.init(peerMasks: false, payloadMax: 100))
        input.append(ByteBuffer(bytes: [0x82]))
        #expect(try input.next() == nil)
        input.append(ByteBuffer(bytes: [0x02, 1]))
        #expect(try input.next() == nil)
        input.append(ByteBuffer(bytes: [2, 0x82, 0x65]))
        #expect(try input.next()?.payload == [1, 2])
        #expect(throws: FrameViolation.self) { try input.next() }
        input.clear()
        #expect(try input.next() == nil)
    }
}
