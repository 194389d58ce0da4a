import ControllerRealtime
import NIOCore
import Testing

@Suite struct LiveEncoderTests {
    @Test(arguments: [0, 125, 126, 65_535, 65_536])
    func framesSayTheirLength(count: Int) {
        var frame = LiveEncoder.frame(Array(repeating: 0x20, count: count))
        #expect(frame.readInteger(as: UInt8.self) == 0x81)
        let short = frame.readInteger(as: UInt8.self)
        switch short {
        case 126?: #expect(frame.readInteger(as: UInt16.self).map(Int.init) == count)
        case 127?: #expect(frame.readInteger(as: UInt64.self).map(Int.init) == count)
        default: #expect(short.map(Int.init) == count)
        }
        #expect(frame.readableBytes == count)
    }

    @Test func topicsReadBack() {
        for text in ["run:7", "pipeline:3", "system"] { #expect(Topic(text)?.description == text) }
        for text in ["", "run", "run:", "run:-1", "run:0", "run:7:1", "runs:7", "run:x"] { #expect(Topic(text) == nil) }
    }
}
