package import ControllerCore
import NIOPosix

/// A part of a log's bytes, in order.
package enum LogChunk: Equatable, Sendable {
    case bytes([UInt8])
    /// Bytes that are not there. A raw download that promised a length must fill them up and say so.
    case hole(LogHole)
}

/// A log's bytes from one offset to another, read block by block as they are asked for: at most one block is in memory. Blocks are
/// not kept for the next reader, since this one reads each but once.
///
/// It ends where the log ended when it was made. Use it from one task.
package struct LogByteStream: AsyncSequence, Sendable {
    package typealias Element = LogChunk

    let source: LogSource
    let cache: BlockCache
    let pool: NIOThreadPool
    /// What the stream gives: the range that was asked for, clamped to the log.
    package let range: Range<UInt64>
    /// The log's length when the stream was made, holes included.
    package var total: UInt64 { source.total }

    package struct AsyncIterator: AsyncIteratorProtocol {
        let stream: LogByteStream
        var offset: UInt64

        package mutating func next() async throws -> LogChunk? {
            let range = stream.range
            guard offset < range.upperBound else { return nil }
            let index = stream.source.block(offset: offset)
            let (source, cache) = (stream.source, stream.cache)
            let block = try await stream.pool.runIfActive { try cache.block(source, index, keeps: false) }
            let end = Swift.min(block.end, range.upperBound)
            let start = offset
            offset = end
            switch block.content {
            case .text(let data, _):
                if start == block.start, end == block.end { return .bytes(data) }
                return .bytes(Array(data[Int(start - block.start)..<Int(end - block.start)]))
            case .hole(var hole):
                hole.offset = start
                hole.length = end - start
                return .hole(hole)
            }
        }
    }

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(stream: self, offset: range.lowerBound) }
}
