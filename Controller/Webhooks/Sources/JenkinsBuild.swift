import ControllerCore

/// A build as a notice of Jenkins tells of it. Pure.
struct JenkinsBuild: Equatable {
    enum Phase: Equatable {
        /// It waits in Jenkins' own queue.
        case queued
        case started
        case ended(ReportedStatus)
    }

    /// Job and number: `widgets-nightly#18`.
    var name: String
    var phase: Phase
    /// For people: `build 18 of widgets-nightly: failure`.
    var summary: String
    var branch: String
    var commit: String
    /// What the notice brings of the output; most bring none.
    var log: String

    private static let nameBytesMax = 400

    /// - Returns: nil where it is no notice of a build.
    init?(_ body: PlanJSON) {
        let build = body["build"]
        guard let job = body["name"].text, let number = build["number"].whole, let phase = build["phase"].text else {
            return nil
        }
        let (short, status) = (Words.line(job, max: Self.nameBytesMax), Words.line(build["status"].text).lowercased())
        name = "\(short)#\(number)"
        switch phase.uppercased() {
        case "QUEUED": self.phase = .queued
        case "STARTED": self.phase = .started
        case "COMPLETED", "FINALIZED", "FINISHED": self.phase = .ended(Self.status(status))
        default: return nil
        }
        summary = "build \(number) of \(short): " + (status.isEmpty ? Words.line(phase).lowercased() : status)
        let branch = Words.line(build["scm"]["branch"].text)
        // A branch as Jenkins' clone has it.
        self.branch = branch.hasPrefix("origin/") ? String(branch.dropFirst(7)) : branch
        if GitRef.check(self.branch) != nil { self.branch = "" }
        commit = Words.commit(build["scm"]["commit"])
        log = build["log"].text ?? ""
    }

    /// Where tests failed, Jenkins says `UNSTABLE`.
    private static func status(_ word: String) -> ReportedStatus {
        switch word {
        case "success": .success
        case "aborted", "not_built": .cancelled
        default: .failed
        }
    }
}
