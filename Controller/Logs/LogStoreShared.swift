import AnsFlowProtocol
import Logging
import NIOPosix
import Synchronization

/// What the parts of one log store share.
final class LogStoreShared: Sendable {
    let configuration: LogStoreConfiguration
    let events: LogStoreEvents
    let directory: LogDirectory
    let closed: ClosedLogs
    let broadcaster = Broadcaster()
    let cache: BlockCache
    let surveys = SurveyCache()
    let syncs: SyncQueue
    let pool: NIOThreadPool
    let logger: Logger
    private let generations = Atomic<UInt64>(0)
    private let openFiles = Atomic<Int>(0)
    private let failed = Atomic<Bool>(false)

    init(
        configuration: LogStoreConfiguration, events: LogStoreEvents, directory: LogDirectory, pool: NIOThreadPool,
        logger: Logger
    ) {
        self.configuration = configuration
        self.events = events
        self.directory = directory
        self.pool = pool
        self.logger = logger
        closed = ClosedLogs(
            directory: directory, capacity: configuration.closedLogsMax, blockBytes: configuration.blockBytes)
        cache = BlockCache(capacity: configuration.cachedBlocks)
        syncs = SyncQueue(pool: pool, atOnce: configuration.syncsAtOnce)
    }

    func newGeneration() -> UInt64 { generations.add(1, ordering: .relaxed).newValue }

    func opened(_ count: Int) { openFiles.add(count, ordering: .relaxed) }
    var openFileCount: Int { openFiles.load(ordering: .relaxed) }

    var hasFailed: Bool { failed.load(ordering: .acquiring) }

    /// A sync failed: nothing is acknowledged any more, and the owner ends the process.
    func fail(_ error: LogStoreError) {
        guard !failed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        logger.critical("a log could not be synced", metadata: ["error": "\(error)"])
        events.fatal(error)
    }
}
