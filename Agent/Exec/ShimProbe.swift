import AgentShimCore
import CAgentSystem
import Glibc

/// What the files of one shim and one attempt say. All of it blocks.
struct ShimProbe: Sendable {
    let paths: AgentPaths
    let cgroupParent: String?

    /// How long a living shim may take to answer, in milliseconds.
    private static let answerMs: UInt64 = 3_000

    /// Whether the shim lives: it holds its lock as long as its process is there.
    func isAlive(_ name: String) -> Bool { ansflow_lock_is_held("\(paths.shim(name))/lock") == 1 }

    /// A connection on which the shim has answered.
    struct Attached: Sendable {
        var descriptor: Int32
        var reader: ShimFrameReader
        var state: ShimState
    }

    /// Connects to a living shim.
    ///
    /// - Returns: `nil` where it does not answer in time.
    func attach(_ name: String) -> Attached? {
        let descriptor = ansflow_unix_connect(paths.shim(name), "sock")
        guard descriptor >= 0 else { return nil }
        guard let hello = try? ShimCodec.encode(.attach(version: ShimLimits.version)),
            Files.writeAll(descriptor, hello) == 0, let answer = firstReport(descriptor),
            case .state(let state) = answer.report
        else {
            close(descriptor)
            return nil
        }
        return Attached(descriptor: descriptor, reader: answer.reader, state: state)
    }

    private func firstReport(_ descriptor: Int32) -> (report: ShimReport, reader: ShimFrameReader)? {
        var reader = ShimFrameReader()
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        let end = HostFacts.nowMs + Self.answerMs
        while HostFacts.nowMs < end {
            var interest = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&interest, 1, Int32(end - min(end, HostFacts.nowMs))) > 0 else { continue }
            let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return nil }
            reader.feed(chunk[0..<count])
            do {
                if let message = try reader.next() { return (try ShimCodec.report(message), reader) }
            } catch {
                return nil
            }
        }
        return nil
    }

    /// Tells a shim that runs nothing to go, and waits until it is gone or has turned out to run something.
    func dismiss(_ name: String) -> Attached? {
        guard let attached = attach(name) else { return nil }
        guard case .warm = attached.state.phase else { return attached }
        if let forget = try? ShimCodec.encode(.forget) { _ = Files.writeAll(attached.descriptor, forget) }
        close(attached.descriptor)
        let end = HostFacts.nowMs + Self.answerMs
        while isAlive(name), HostFacts.nowMs < end { usleep(5_000) }
        // A START that an earlier agent had sent may have come first.
        return isAlive(name) ? attach(name) : nil
    }

    /// How an attempt stands whose shim's lock is free.
    enum Remains: Equatable, Sendable {
        case ended(ExitRecord)
        case notStarted
        case lost(spooled: UInt64)
    }

    /// Kills what is left of the tree and reads what the shim wrote.
    func remains(of attempt: Int64, shim name: String) -> Remains {
        emptyTree(name)
        if let record = exitRecord(attempt) { return .ended(record) }
        guard Files.exists(paths.startFile(attempt)) else { return .notStarted }
        return .lost(spooled: spooled(attempt))
    }

    func exitRecord(_ attempt: Int64) -> ExitRecord? {
        guard let block = (try? Files.read(paths.exitRecord(attempt), limit: ExitRecord.size)) ?? nil,
            let record = ExitRecord(block), record.attempt == attempt
        else { return nil }
        return record
    }

    func spooled(_ attempt: Int64) -> UInt64 { SpoolReader(attempt: attempt, path: paths.spool(attempt)).measure() }

    /// Only the cgroup of that name is emptied; no process is ever chosen by its id.
    func emptyTree(_ name: String) {
        guard let cgroupParent, !name.isEmpty, !name.contains("/"), name != "..", name != "." else { return }
        _ = CgroupTree(path: "\(cgroupParent)/\(name)").empty(within: 5_000)
    }

    /// Removes a dead shim's directory.
    func removeDirectory(_ name: String) {
        guard !name.isEmpty, !isAlive(name) else { return }
        try? TreeRemoval.remove(name: name, in: paths.shims)
    }

    /// Removes what an attempt left, but for its start file.
    func removeOutput(_ attempt: Int64) {
        unlink(paths.spool(attempt))
        unlink(paths.exitRecord(attempt))
    }
}
