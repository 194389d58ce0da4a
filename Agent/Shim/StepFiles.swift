import AgentShimCore
import Glibc

/// The files of one attempt, made before anything is started.
struct StepFiles {
    var spool: Spool
    /// The preallocated block of the exit record.
    private let record: Int32
    private let recordPath: String

    /// Why an attempt is not started.
    struct Refusal: Error {
        var reason: StartRefusal
        var message: String
    }

    /// Makes spool and record, then takes the start file, which alone decides that the attempt is started.
    ///
    /// Where any of it fails, nothing of what was made here is left.
    static func claim(_ spec: ShimSpec) throws(Refusal) -> StepFiles {
        var files: StepFiles
        switch Spool.make(
            path: spec.spoolFile, attempt: spec.attempt, limit: spec.logLimitBytes, secrets: spec.secrets)
        {
        case .failure(let error): throw refusal(spec, "The spool file", error.errno)
        case .success(let spool):
            let record = open(spec.recordFile, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard record >= 0 else {
                let error = errno
                spool.discard()
                throw refusal(spec, "The exit record", error)
            }
            files = StepFiles(spool: spool, record: record, recordPath: spec.recordFile)
        }
        let full = posix_fallocate(files.record, 0, off_t(ExitRecord.size))
        guard full == 0 else {
            files.discard()
            throw refusal(spec, "The exit record", full)
        }
        let start = open(spec.startFile, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard start >= 0 else {
            let error = errno
            files.discard()
            throw refusal(spec, "The start file", error)
        }
        close(start)
        return files
    }

    private init(spool: Spool, record: Int32, recordPath: String) {
        self.spool = spool
        self.record = record
        self.recordPath = recordPath
    }

    /// Writes the record into its block. Returns 0 or errno.
    func write(_ exit: ExitRecord) -> Int32 {
        let block = exit.encoded()
        let count = block.withUnsafeBytes { pwrite(record, $0.baseAddress, $0.count, 0) }
        return count == block.count ? 0 : count < 0 ? errno : ENOSPC
    }

    func end() {
        spool.end()
        close(record)
    }

    private func discard() {
        spool.discard()
        close(record)
        unlink(recordPath)
    }

    private static func refusal(_ spec: ShimSpec, _ what: String, _ error: Int32) -> Refusal {
        // Whoever has the start file has made the other files too.
        if error == EEXIST, access(spec.startFile, F_OK) == 0 {
            return Refusal(
                reason: .startFileExists, message: "Attempt \(spec.attempt) was started or claimed before.")
        }
        return Refusal(
            reason: .storage,
            message: "\(what) of attempt \(spec.attempt) could not be made: \(Diagnostics.text(of: error)).")
    }
}
