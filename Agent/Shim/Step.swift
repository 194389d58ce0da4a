import AgentShimCore
import Glibc

/// What the supervisor knows of the attempt it runs.
struct Step {
    let attempt: Int64
    let program: String
    var files: StepFiles
    let startedAt: UInt64
    /// Where it writes its outputs.
    var outputFile: String?
    /// How the main process ended.
    var status: ChildStatus?
    /// Whether all that the step wrote was seen.
    var droppedIsKnown = true
    /// Set once, when the step has ended.
    var record: ExitRecord?

    init(attempt: Int64, program: String, files: StepFiles, startedAt: UInt64) {
        self.attempt = attempt
        self.program = program
        self.files = files
        self.startedAt = startedAt
    }

    func exitRecord(_ ending: Ending, unkillable: Bool) -> ExitRecord {
        var record = ExitRecord(attempt: attempt, ending: ending)
        switch status {
        case .exited(let code): record.exitCode = code
        case .signalled(let signal): record.signal = signal
        case nil: break
        }
        if case .startFailed(let stage, let errno) = ending {
            record.exitCode = nil
            record.signal = nil
            record.message = files.spool.masked(message(stage, errno))
        }
        record.spooled = files.spool.stored
        record.dropped = droppedIsKnown ? files.spool.dropped : nil
        record.startedAtBoottimeMs = startedAt
        record.unkillable = unkillable
        return record
    }

    private func message(_ stage: StartStage, _ errno: Int32) -> String {
        let reason = Diagnostics.text(of: errno)
        return switch stage {
        case .release: "The waiting child could not be told what to run: \(reason)."
        case .session: "The step could not get a session of its own: \(reason)."
        case .descriptors: "The step's descriptors could not be set up: \(reason)."
        case .workingDirectory: "The step's working directory could not be entered: \(reason)."
        case .program: "The program \"\(program)\" could not be executed: \(reason)."
        }
    }
}
