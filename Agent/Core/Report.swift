/// What was said of one attempt, and what of its end is still to be said.
struct Report: Equatable, Sendable {
    enum Hash: Equatable, Sendable {
        case unasked, asked
        case known(String?)
    }

    static let repeatMs: UInt64 = 10_000
    /// SHA-256 of nothing.
    static let emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    /// Whether the controller wants to hear of it on this link: false for orphans and before WELCOME.
    var isWanted = false
    /// Whether the controller knows on this link that the step was started.
    var saidStarted = false
    /// When FINISH is due again; 0 for at once.
    var finishAt: UInt64 = 0
    var hash = Hash.unasked
    /// When it ended, by the machine's clock.
    var endedAt: UInt64 = 0
    /// The controller has said FORGET.
    var isForgotten = false
    /// No process of it is left.
    var isVacant = true

    /// The link is gone: all has to be said again.
    mutating func interrupt() {
        isWanted = false
        saidStarted = false
        finishAt = 0
    }
}
