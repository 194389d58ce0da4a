import ControllerCore

/// Turns what came of a git process into what users read.
struct GitFailures: Sendable {
    let address: GitAddress
    let credential: GitCredential

    func failure(_ step: RepositoryFailure.Step, _ failure: GitProcess.Failure, limit: Duration) -> RepositoryFailure {
        switch failure {
        case .timeout:
            RepositoryFailure(
                step, .timeout,
                "\(doing(step)) \(address.shown) took longer than \(limit.components.seconds) s and was stopped. Is the host slow "
                    + "or silent?")
        case .tooMuchOutput:
            RepositoryFailure(step, .tooLarge, "\(doing(step)) \(address.shown) gave more than is taken.")
        case .notRun(let why):
            RepositoryFailure(
                step, .here, "Git can't be run on the controller's host: \(why). Is git installed there?",
                mayRetry: false)
        case .stopped:
            RepositoryFailure(step, .here, "\(doing(step)) \(address.shown) was stopped.")
        }
    }

    func failure(_ step: RepositoryFailure.Step, _ outcome: GitProcess.Outcome) -> RepositoryFailure {
        let says = GitWords.shown(outcome.errors, hiding: credential)
        let reason = GitWords.reason(outcome.errors)
        let shown = address.shown
        let message =
            switch reason {
            case .denied:
                credential == .none
                    ? "\(shown) wants credentials, and none are given. Add a git credential for it."
                    : "\(shown) does not accept \(credential). Is it still valid, and may it read this repository?"
            case .unreachable:
                "\(shown) can't be reached. Is the address right, and can the controller's host reach it?"
            case .noSuchRepository:
                "There is no repository at \(shown), or it can't be seen without credentials."
            case .here: "The controller's disk or memory does not suffice for \(shown)."
            default: "\(doing(step)) \(shown) failed."
            }
        return RepositoryFailure(step, reason, message, gitSays: says)
    }

    private func doing(_ step: RepositoryFailure.Step) -> String {
        switch step {
        case .address, .contact, .ref: "Asking"
        case .fetch: "Fetching from"
        case .read: "Reading from"
        case .compare: "Comparing commits of"
        }
    }
}
