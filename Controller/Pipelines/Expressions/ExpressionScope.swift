import ControllerCore

/// What an expression may name at its place in the file.
struct ExpressionScope: Sendable {
    enum Place: Sendable {
        /// `if` of a job or a step: decided while the run goes.
        case condition
        /// `${{ }}` in a value: filled in when the run is created.
        case value
        /// `${{ }}` in `env` of a job or a step: what is not known when the run is created is filled in when it starts.
        case environment
        /// `${{ }}` in a command: as a value, and nothing that comes from outside.
        case command
        /// Only what started the run is known: the default of an input, the filter of a webhook.
        case facts
    }

    var place: Place
    var inputs: [String: ExpressionType] = [:]
    /// Types of the axes; `nil` outside a job with a matrix.
    var matrix: [String: ExpressionType]?
    /// Inputs that an approver gives: not known when the run is created.
    var given: Set<String> = []
    /// Jobs whose results can be seen.
    var needs: [String] = []
    /// `nil` outside a step.
    var steps: Steps?
    /// Whether an enclosing `env` exists.
    var hasEnvironment = true
    /// Variables of the enclosing `env` that are filled in when the job starts.
    var lateVariables: Set<String> = []

    struct Steps: Sendable {
        /// All steps of the job.
        var all: [String]
        /// Those that have ended when the condition is decided.
        var awaited: Set<String>
    }

    /// The words for how a job or a step ended.
    static let results = [
        "success", "warning", "failed", "cancelled", "skipped", "timed_out", "lost", "error",
    ]
    /// The words of `event`.
    static let events = ["manual", "push", "tag", "pull_request", "cron", "webhook"]
    /// Functions that come with later parts of the language.
    static let laterFunctions = Set(PipelineSchema.later.filter { $0.hasSuffix("()") }.map { String($0.dropLast(2)) })

    func at(_ place: Place) -> ExpressionScope {
        var scope = self
        scope.place = place
        return scope
    }
}
