import AnsFlowProtocol
import Synchronization

/// The blocks that were read last, so that many readers of one place cost one read. Bounded by count.
final class BlockCache: Sendable {
    private struct Key: Equatable {
        var attempt: AttemptID
        var generation: UInt64
        var start: UInt64
        /// The newest block of a live log grows: each length is another block.
        var end: UInt64
    }

    private let capacity: Int
    /// Newest use last.
    private let entries = Mutex<[(key: Key, block: LogBlock)]>([])

    init(capacity: Int) { self.capacity = capacity }

    var count: Int { entries.withLock { $0.count } }

    /// The block, read where it is not kept.
    ///
    /// - Parameter keeps: Whether one that was read is kept for the next reader.
    func block(_ source: LogSource, _ index: Int, keeps: Bool = true) throws(LogStoreError) -> LogBlock {
        let key = Key(
            attempt: source.attempt, generation: source.generation, start: source.marks[index].raw,
            end: source.end(index))
        let kept = entries.withLock { entries -> LogBlock? in
            guard let found = entries.lastIndex(where: { $0.key == key }) else { return nil }
            let entry = entries.remove(at: found)
            entries.append(entry)
            return entry.block
        }
        if let kept { return kept }
        let block = try source.load(index)
        guard keeps, case .text = block.content else { return block }
        entries.withLock { entries in
            entries.removeAll { $0.key == key }
            // A shorter state of the same block is of no more use.
            entries.removeAll {
                $0.key.attempt == key.attempt && $0.key.generation == key.generation && $0.key.start == key.start
            }
            entries.append((key, block))
            if entries.count > capacity { entries.removeFirst(entries.count - capacity) }
        }
        return block
    }
}
