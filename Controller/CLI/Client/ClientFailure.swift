/// What can go wrong for a user of the command line, with the exit code that scripts may rely on.
///
/// | code | meaning |
/// |---|---|
/// | 0 | done |
/// | 1 | a followed run did not succeed, or the answer is no |
/// | 2 | wrong use: unknown command, option or value |
/// | 3 | not found |
/// | 4 | not logged in, or not allowed |
/// | 5 | the controller could not be reached |
/// | 6 | the controller refused the request |
/// | 7 | the controller failed |
package struct ClientFailure: Error, Equatable, Sendable {
    package enum Kind: Int32, Sendable, CaseIterable {
        case negative = 1
        case usage = 2
        case notFound = 3
        case notAllowed = 4
        case unreachable = 5
        case refused = 6
        case serverFailed = 7
    }

    package var kind: Kind
    /// What happened, a full sentence.
    package var message: String
    /// What to do about it; may be empty.
    package var cure: String
    /// More lines, such as each wrong field.
    package var details: [String]
    /// What the server calls the request in its log.
    package var requestID: String?
    /// Whether somebody changed the thing since it was read: read it again and repeat.
    package var isStale = false

    package init(
        _ kind: Kind, _ message: String, cure: String = "", details: [String] = [], requestID: String? = nil
    ) {
        self.kind = kind
        self.message = message
        self.cure = cure
        self.details = details
        self.requestID = requestID
    }

    /// The text for standard error, without a line feed at its end.
    package var text: String {
        var lines = ["error: \(message)"]
        lines += details.map { "  \($0)" }
        if !cure.isEmpty { lines.append(cure) }
        if let requestID, kind == .serverFailed { lines.append("The controller's log has it as request \(requestID).") }
        return lines.joined(separator: "\n")
    }
}
