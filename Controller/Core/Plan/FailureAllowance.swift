/// Which failures of a job or a step leave a warning and hinder nothing.
package enum FailureAllowance: Equatable, Hashable, Sendable {
    case never
    case always
    /// Only an exit with one of these codes.
    case exitCodes([Int32])

    /// - Parameter exitCode: `nil` where it did not end by exiting, or where a whole job is judged.
    package func allows(exitCode: Int32?) -> Bool {
        switch self {
        case .never: false
        case .always: true
        case .exitCodes(let codes): exitCode.map { codes.contains($0) } ?? false
        }
    }
}

extension FailureAllowance: ExpressibleByBooleanLiteral {
    package init(booleanLiteral value: Bool) { self = value ? .always : .never }
}

/// Stored as `true`, `false` or the list of codes.
extension FailureAllowance: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let flag = try? container.decode(Bool.self) {
            self = flag ? .always : .never
        } else {
            self = .exitCodes(try container.decode([Int32].self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .never: try container.encode(false)
        case .always: try container.encode(true)
        case .exitCodes(let codes): try container.encode(codes)
        }
    }
}
