package import AgentCore
import AgentShimCore
import AnsFlowProtocol
import Glibc

/// What a starting agent finds: which attempts live on, which have ended, and what is left of the dead.
package struct ShimSurvey: Sendable {
    /// A shim that runs, or has run, an attempt of the journal.
    struct Living: Sendable {
        var attempt: Int64
        var jobAttempt: Int64
        var shim: String
        /// `nil` where it holds its lock and does not answer now.
        var attached: ShimProbe.Attached?
    }

    package private(set) var state = RecoveredState()
    private(set) var living: [Living] = []
    private let probe: ShimProbe

    /// Looks at everything once. Blocks; dead shims' cgroups are emptied, and nothing else is ever killed.
    package init(_ journal: AgentJournal.Contents, bootID: String, paths: AgentPaths, cgroupParent: String?) {
        probe = ShimProbe(paths: paths, cgroupParent: cgroupParent)
        for entry in journal.attempts { judge(entry, bootID: bootID) }
        state.highestAttemptSeen = AttemptID(journal.highest)
        state.forgotten = journal.forgotten.map { AttemptID($0) }
        if journal.forgotten.count >= Tombstones.capacity / 2, let oldest = journal.forgotten.first {
            state.floor = AttemptID(oldest)
        }
        state.workspaces = Workspaces(paths).existing.map { JobAttemptID($0) }
        tidy(paths, cgroupParent)
    }

    private mutating func judge(_ entry: AgentJournal.Contents.Accepted, bootID: String) {
        func add(_ condition: RecoveredState.Condition) {
            state.attempts.append(
                RecoveredState.Attempt(
                    attempt: AttemptID(entry.attempt), jobAttempt: JobAttemptID(entry.jobAttempt), condition: condition)
            )
        }
        if entry.isClaimed { return add(.neverStarted) }
        guard entry.bootID == bootID else { return add(.otherBoot(spooled: probe.spooled(entry.attempt))) }
        // A warm one never saw its START or has it still unread: it is sent away before anything is decided.
        let attached = probe.isAlive(entry.shim) ? probe.dismiss(entry.shim) : nil
        if let attached {
            living.append(
                Living(
                    attempt: entry.attempt, jobAttempt: entry.jobAttempt, shim: entry.shim, attached: attached))
            switch attached.state.phase {
            case .running(entry.attempt, _, _, _): return add(.running(spooled: attached.state.spooled))
            case .ended(let record, _) where record.attempt == entry.attempt:
                return add(.exited(AttemptEnding(record, from: probe.paths, job: entry.jobAttempt)))
            case .warm, .running, .ended:
                living.removeLast()
                close(attached.descriptor)
            }
        } else if probe.isAlive(entry.shim) {
            living.append(
                Living(attempt: entry.attempt, jobAttempt: entry.jobAttempt, shim: entry.shim, attached: nil))
            let started = Files.exists(probe.paths.startFile(entry.attempt))
            return add(started ? .running(spooled: probe.spooled(entry.attempt)) : .handed)
        }
        switch probe.remains(of: entry.attempt, shim: entry.shim) {
        case .ended(let record): add(.exited(AttemptEnding(record, from: probe.paths, job: entry.jobAttempt)))
        case .notStarted: add(.gone(startFile: false, spooled: 0))
        case .lost(let spooled): add(.gone(startFile: true, spooled: spooled))
        }
    }

    /// Dead shims' cgroups and directories, and files of attempts that nobody knows any more.
    private func tidy(_ paths: AgentPaths, _ cgroupParent: String?) {
        let used = Set(living.map(\.shim))
        var others = false
        for name in Files.names(in: paths.shims) where !used.contains(name) {
            if probe.isAlive(name), let attached = probe.dismiss(name) {
                // It runs what this journal does not know; an administrator may look at it.
                close(attached.descriptor)
            }
            if probe.isAlive(name) {
                others = true
                continue
            }
            probe.emptyTree(name)
            probe.removeDirectory(name)
        }
        if let cgroupParent {
            for name in Files.names(in: cgroupParent) where !name.contains(".") && !probe.isAlive(name) {
                probe.emptyTree(name)
            }
        }
        guard !others else { return }
        let known = Set(state.attempts.map(\.attempt.rawValue))
        for name in Files.names(in: paths.starts) {
            if let attempt = Int64(name), !known.contains(attempt) { unlink("\(paths.starts)/\(name)") }
        }
        for name in Files.names(in: paths.spools) {
            if let attempt = name.split(separator: ".").first.flatMap({ Int64($0) }), !known.contains(attempt) {
                unlink("\(paths.spools)/\(name)")
            }
        }
    }
}

extension AttemptEnding {
    /// An exit record with the outputs that the step wrote.
    init(_ record: ExitRecord, from paths: AgentPaths, job: Int64) {
        let outputs = OutputFile.read(paths.output(job, record.attempt))
        self.init(record, outputs: outputs.values, complaint: outputs.complaint)
    }
}
