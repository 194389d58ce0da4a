import ControllerCore

/// What an expression may name at its place in the file.
struct ExpressionScope: Sendable {
    enum Place: Sendable {
        /// `if` of a job or a step: decided while the run goes.
        case condition
        /// `${{ }}` in a value: filled in when the run is created.
        case value
        /// `${{ }}` in a command: as a value, and nothing that comes from outside.
        case command
        /// The default of an input: only what started the run is known.
        case inputDefault
    }

    var place: Place
    var inputs: [String: ExpressionType] = [:]
    /// Jobs whose results can be seen.
    var needs: [String] = []
    /// `nil` outside a step's condition.
    var steps: Steps?
    /// Whether an enclosing `env` exists.
    var hasEnvironment = true

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
    /// Functions and names that come with later parts of the language.
    static let laterFunctions: Set<String> = ["hash", "changed"]
    static let laterRoots: Set<String> = ["matrix", "payload", "secrets"]
}
