import ControllerCore
import NIOCore
import Synchronization

/// Encoded pages of the list of runs, each under the version of what it shows.
///
/// The version is read before the database: a page that is read while a commit goes on is kept under the older version, and
/// so never served after it.
final class PageCache: Sendable {
    struct Key: Hashable, Sendable {
        var filter: RunFilter
        var page: Int
        var perPage: Int
    }

    struct Entry: Sendable {
        var version: UInt64
        var body: ByteBuffer
        var etag: String
        var link: String
    }

    struct Statistics: Equatable {
        var hits: UInt64 = 0
        var misses: UInt64 = 0
        var evictions: UInt64 = 0
        var bytes = 0
        var count = 0
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var statistics = Statistics()
    }

    static let entriesMax = 512
    static let bytesMax = 32 * 1024 * 1024

    private let state = Mutex(State())

    func entry(_ key: Key, version: UInt64) -> Entry? {
        state.withLock { state in
            guard let entry = state.entries[key], entry.version == version else {
                state.statistics.misses += 1
                return nil
            }
            state.statistics.hits += 1
            return entry
        }
    }

    func store(_ key: Key, _ entry: Entry) {
        state.withLock { state in
            if let old = state.entries[key] {
                // A slower reader must not put an older page over a newer one.
                guard old.version <= entry.version else { return }
                state.statistics.bytes -= old.body.readableBytes
            }
            state.entries[key] = entry
            state.statistics.bytes += entry.body.readableBytes
            if state.entries.count > Self.entriesMax || state.statistics.bytes > Self.bytesMax {
                state.statistics.evictions += UInt64(state.entries.count - 1)
                state.entries = [key: entry]
                state.statistics.bytes = entry.body.readableBytes
            }
            state.statistics.count = state.entries.count
        }
    }

    var statistics: Statistics { state.withLock { $0.statistics } }
}
