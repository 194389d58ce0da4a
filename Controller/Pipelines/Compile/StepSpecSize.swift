import ControllerCore

/// How many bytes a step's specification has on its way to the agent, as JSON.
struct StepSpecSize {
    private let outerBytes: Int
    private let outer: [String: String]

    /// - Parameters:
    ///   - fixed: bytes of what AnsFlow adds.
    ///   - environment: of run and job.
    init(fixed: Int, environment: [String: String]) {
        outer = environment
        outerBytes = fixed + Self.bytes(environment)
    }

    private init(outerBytes: Int, outer: [String: String]) {
        self.outerBytes = outerBytes
        self.outer = outer
    }

    /// The same with another environment over it.
    ///
    /// - Parameters:
    ///   - more: bytes of what AnsFlow adds here.
    ///   - merged: both together.
    func inside(_ environment: [String: String], more: Int, merged: [String: String]) -> StepSpecSize {
        StepSpecSize(outerBytes: bytes(commands: [], environment: environment) + more, outer: merged)
    }

    /// Of the variables for the values of a cell.
    static func bytes(of values: [MatrixValue]) -> Int {
        values.reduce(0) { $0 + entry($1.variableName, $1.value.variable) }
    }

    func bytes(commands: [String], environment: [String: String]) -> Int {
        var total = outerBytes
        for (name, value) in environment {
            total += Self.entry(name, value)
            if let hidden = outer[name] { total -= Self.entry(name, hidden) }
        }
        return commands.reduce(total) { $0 + Self.bytes($1) }
    }

    static func bytes(_ environment: [String: String]) -> Int {
        environment.reduce(0) { $0 + entry($1.key, $1.value) }
    }

    private static func entry(_ name: String, _ value: String) -> Int { bytes(name) + bytes(value) }

    /// A JSON text with quotes and a separator, at its longest: encoders may escape slashes too.
    private static func bytes(_ text: String) -> Int {
        text.utf8.reduce(3) { total, byte in
            switch byte {
            case 8, 9, 10, 12, 13, UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): total + 2
            case 0..<32: total + 6
            default: total + 1
            }
        }
    }
}
