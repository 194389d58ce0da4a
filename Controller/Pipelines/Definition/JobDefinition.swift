package import AnsFlowProtocol
package import ControllerCore

package struct JobDefinition: Sendable, Equatable {
    package enum Checkout: Sendable, Equatable {
        /// Where the pipeline has a repository.
        case asDefault
        case off
        case with(CheckoutOptions)
    }

    package var id: String
    package var name: Template?
    package var needs: [NeedDefinition] = []
    /// `if` and `when` together.
    package var condition: Expression?
    package var agents: [NamedTemplate]?
    package var timeoutMs: UInt64?
    package var parallel: Int?
    package var allowFailure = false
    package var environment: [NamedTemplate] = []
    package var checkout = Checkout.asDefault
    package var logLimitBytes: UInt64?
    package var matrix: MatrixDefinition?
    package var retry: RetryPlan?
    package var concurrency: ConcurrencyDefinition?
    package var priority: Int?
    package var approval: ApprovalDefinition?
    package var deployment: Template?
    /// The secret's name by the variable's.
    package var secrets: [String: String] = [:]
    package var kept: [ArtifactDefinition] = []
    package var fetched: [FetchDefinition] = []
    package var steps: [StepDefinition] = []
    package var finally: [StepDefinition] = []
    package var span: SourceSpan
    package var path: DocumentPath
}

/// The cells of a matrix, in the order of the file.
package struct MatrixDefinition: Sendable, Equatable {
    package struct Cell: Sendable, Equatable {
        /// What comes behind the job's id: `[arch=amd64,mode=release]`.
        package var suffix: String
        package var values: [MatrixValue]
        package var allowFailure: Bool?
        package var agents: [NamedTemplate] = []
        package var environment: [NamedTemplate] = []
        package var timeoutMs: UInt64?
        package var priority: Int?

        func value(_ axis: String) -> InputValue? { values.first { $0.axis == axis }?.value }
    }

    package var cells: [Cell]
    /// Combinations that `exclude` took out.
    package var excluded: [[MatrixValue]]
    var types: [String: ExpressionType]
}

package struct ArtifactDefinition: Sendable, Equatable {
    package var paths: [Template]
    package var keepMs: UInt64?
    package var when: ArtifactRule.When
    package var optional: Bool
}

package struct FetchDefinition: Sendable, Equatable {
    package var jobs: [NeedDefinition]
    package var paths: [Template]
    package var into: Template?
}

package struct StepDefinition: Sendable, Equatable {
    /// The file's, or `step-<n>`.
    package var id: String
    package var hasOwnID: Bool
    package var name: Template?
    /// `nil` where the step does not name `needs`.
    package var needs: [NeedDefinition]?
    package var condition: Expression?
    package var commands: [Template]
    package var shell: StepSpec.Shell?
    package var environment: [NamedTemplate] = []
    package var secrets: [String: String] = [:]
    package var timeoutMs: UInt64?
    package var allowFailure: FailureAllowance = .never
    package var retry: RetryPlan?
    package var reports: [ReportDefinition] = []
    package var logLimitBytes: UInt64?
    package var span: SourceSpan
    package var path: DocumentPath
}

package struct ReportDefinition: Sendable, Equatable {
    package var kind: ReportRule.Kind
    package var paths: [Template]
}
