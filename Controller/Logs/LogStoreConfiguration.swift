package import AnsFlowProtocol
import ControllerCore
import Glibc

/// The log store's limits. The defaults are right for a controller; tests make them small.
package struct LogStoreConfiguration: Sendable {
    /// Most bytes of one attempt's output, holes included.
    package var logBytesMax: UInt64 = ProtocolLimits.logBytesMax
    /// Most bytes of a segment file: a log of one-byte records would need 25 times its length.
    package var segmentBytesMax: UInt64 = 4 * ProtocolLimits.logBytesMax
    /// Most holes of one log.
    package var holesMax = 1_000
    /// Raw bytes from one entry of the block table to the next, about; also the size of a compressed block.
    package var blockBytes = 256 * 1024
    /// Segments that are held open between two appends.
    package var openFilesMax = 512
    /// Closed logs whose block tables are kept in memory.
    package var closedLogsMax = 32
    /// Unpacked blocks that are kept for the next reader, ``blockBytes`` each.
    package var cachedBlocks = 8
    /// Files that are synced side by side.
    package var syncsAtOnce = 4
    package var compressionLevel: Int32 = 3
    /// Files of logs up to this length are kept as they are: they fit into one block of the disk, packed or not.
    package var keptBytesMax: UInt64 = 4096
    /// Pauses before each further try to close a log whose packing failed. What fails more often is tried at the next start.
    package var sealRetries: [Duration] = [.seconds(1), .seconds(15), .seconds(120)]
    /// Makes a file's bytes durable; 0 or an error number. A test's means to let a sync fail.
    package var sync: @Sendable (Int32) -> Int32 = { fdatasync($0) == 0 ? 0 : errno }
    /// The same for a directory. Not `fdatasync`: ext4 may skip a changed name with it where the directory's size is as before.
    package var syncDirectory: @Sendable (Int32) -> Int32 = { fsync($0) == 0 ? 0 : errno }

    package init() {}
}

/// What the store tells its owner. Called on the store's threads, without locks held; must not block.
package struct LogStoreEvents: Sendable {
    /// All bytes of the attempt before the offset are durable: time for LOG_ACK.
    package var durable: @Sendable (AttemptID, UInt64) -> Void
    /// A sync failed: what the kernel still holds is unknown, a second sync would lie, so the process must end.
    package var fatal: @Sendable (LogStoreError) -> Void

    package init(
        durable: @escaping @Sendable (AttemptID, UInt64) -> Void = { _, _ in },
        fatal: @escaping @Sendable (LogStoreError) -> Void = { _ in }
    ) {
        self.durable = durable
        self.fatal = fatal
    }
}
