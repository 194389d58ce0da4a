/// An edge of the graph: what must have ended before, and how much of its fate is shared.
package struct NeedPlan: Equatable, Hashable, Sendable {
    /// The id of a job of the plan, or of a step of the same job.
    package var id: String
    /// What is needed may have failed or been cancelled: whoever needs it goes on all the same.
    package var allowFailure: Bool

    package init(_ id: String, allowFailure: Bool = false) {
        self.id = id
        self.allowFailure = allowFailure
    }
}

extension NeedPlan: ExpressibleByStringLiteral {
    package init(stringLiteral value: String) { self.init(value) }
}

/// A plain edge is stored as its text alone: most are, and a plan is written for every run.
extension NeedPlan: Codable {
    package init(from decoder: any Decoder) throws {
        if let text = try? decoder.singleValueContainer().decode(String.self) {
            self.init(text)
            return
        }
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            try container.decode(String.self, forKey: .id),
            allowFailure: try container.decode(Bool.self, forKey: .allowFailure))
    }

    package func encode(to encoder: any Encoder) throws {
        guard allowFailure else {
            var container = encoder.singleValueContainer()
            return try container.encode(id)
        }
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(true, forKey: .allowFailure)
    }

    private enum CodingKeys: String, CodingKey {
        case id
        case allowFailure = "allow_failure"
    }
}
