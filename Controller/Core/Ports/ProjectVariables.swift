/// The plain variables of a project, which all of its steps get. They are no secrets: who may see the project's runs sees their values.
package struct ProjectVariables: Equatable, Sendable {
    package var values: [String: String]
    /// The project's: whatever changes the project gives it the next one.
    package var projectVersion: Int

    package init(values: [String: String], projectVersion: Int) {
        self.values = values
        self.projectVersion = projectVersion
    }
}

/// How much a project's variables may be. What all of them have goes to every step, beside what the file gives.
package enum VariableLimits {
    package static let countMax = 100
    package static let nameBytesMax = SecretLimits.nameBytesMax
    package static let valueBytesMax = 8 * 1024
    /// Of all names and values together.
    package static let bytesMax = 64 * 1024

    /// Why a variable can't be set: a sentence; nil where it can.
    package static func refusal(name: String, value: String) -> String? {
        guard SecretLimits.isName(name) else {
            return
                "A name is a letter or underscore, then letters, digits and underscores; at most \(nameBytesMax) in all."
        }
        guard !name.uppercased().hasPrefix("ANSFLOW_") else {
            return "Variables that begin with `ANSFLOW_` are set by AnsFlow. Take another name."
        }
        guard value.utf8.count <= valueBytesMax else { return "A value has at most \(valueBytesMax) bytes." }
        guard !value.utf8.contains(0) else { return "A value must not hold a zero byte." }
        return nil
    }

    /// Why all of them together can't be set.
    package static func refusal(of values: [String: String]) -> String? {
        guard values.count <= countMax else { return "A project has at most \(countMax) variables." }
        let bytes = values.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
        guard bytes <= bytesMax else {
            return "All variables have \(bytes) bytes together; at most \(bytesMax) are allowed."
        }
        return nil
    }
}

/// Variables in the store. Each method is one durable transaction.
package protocol ProjectVariableRepository: Sendable {
    /// Nil where there is no such project.
    func variables(of project: ProjectID) async throws -> ProjectVariables?
    /// Puts these in the place of all that there were.
    ///
    /// - Parameter expected: the version that the project must have; nil for any.
    /// - Throws: ``PeopleChange``.
    func setVariables(
        _ values: [String: String], of project: ProjectID, expected: Int?, at: Int64
    ) async throws -> ProjectVariables
}
