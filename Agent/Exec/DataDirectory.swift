import CAgentSystem
import Glibc

/// An agent's data directory, held by this process alone.
package final class DataDirectory: Sendable {
    package let paths: AgentPaths
    /// Made at random with the directory.
    package let storeID: String
    private let lock: Int32

    /// Makes what is missing and takes the lock.
    ///
    /// - Throws: Where another agent holds it, or it can't be written.
    package init(_ paths: AgentPaths) throws(FileFailure) {
        self.paths = paths
        for path in paths.all { try Files.makeDirectory(path) }
        var lock = ansflow_lock(paths.lock)
        // A child that a killed agent was just starting holds its lock until it executes its program.
        for _ in 0..<50 where lock == -EWOULDBLOCK {
            usleep(10_000)
            lock = ansflow_lock(paths.lock)
        }
        guard lock >= 0 else {
            if lock == -EWOULDBLOCK {
                var failure = FileFailure("Can't lock", paths.lock, -lock)
                failure.description =
                    "Another agent uses \(paths.root). Stop it first, or give this one a data directory of its own."
                throw failure
            }
            throw FileFailure("Can't lock", paths.lock, -lock)
        }
        self.lock = lock
        do throws(FileFailure) {
            storeID = try Self.storeID(paths)
        } catch {
            close(lock)
            throw error
        }
    }

    deinit { close(lock) }

    private static func storeID(_ paths: AgentPaths) throws(FileFailure) -> String {
        if let bytes = try Files.read(paths.storeID, limit: 128) {
            let text = String(decoding: bytes.prefix { $0 > 32 }, as: UTF8.self)
            if !text.isEmpty { return text }
        }
        let made = HostFacts.randomName(bytes: 16)
        try Files.replace(paths.storeID, Array("\(made)\n".utf8))
        return made
    }
}
