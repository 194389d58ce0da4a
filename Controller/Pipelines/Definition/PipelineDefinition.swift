package import AnsFlowProtocol
package import ControllerCore

/// A pipeline file that was read and found right: everything that does not depend on what starts a run.
package struct PipelineDefinition: Sendable, Equatable {
    package var name: Template?
    package var environment: [NamedTemplate]
    package var inputs: [InputDefinition]
    /// Of steps that have no timeout of their own.
    package var stepTimeoutMs: UInt64?
    package var timeoutMs: UInt64?
    package var jobs: [JobDefinition]

    /// The graph that a run of this definition has.
    ///
    /// - Parameter hasRepository: whether the pipeline has a repository, so that jobs begin with `checkout`.
    package func graph(hasRepository: Bool) -> PlanGraph {
        PlanGraph(DefinitionCompiler.preview(self, hasRepository: hasRepository))
    }
}

/// An entry of `env` or `agents`.
package struct NamedTemplate: Sendable, Equatable {
    package var name: String
    package var value: Template
}

package struct InputDefinition: Sendable, Equatable {
    package var name: String
    package var kind: InputPlan.Kind
    package var options: [String]
    package var defaultValue: Template?
    package var required: Bool
    package var description: String?
    package var span: SourceSpan
    package var path: String

    var type: ExpressionType { ExpressionType(kind, options: options) }
}

package struct JobDefinition: Sendable, Equatable {
    package enum Checkout: Sendable, Equatable {
        /// Where the pipeline has a repository.
        case asDefault
        case off
        case with(CheckoutOptions)
    }

    package var id: String
    package var name: Template?
    package var needs: [NeedDefinition]
    package var condition: Expression?
    package var agents: [NamedTemplate]
    package var timeoutMs: UInt64?
    package var parallel: Int?
    package var allowFailure: Bool
    package var environment: [NamedTemplate]
    package var checkout: Checkout
    package var logLimitBytes: UInt64?
    package var steps: [StepDefinition]
    package var span: SourceSpan
    package var path: String
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
    package var shell: StepSpec.Shell
    package var environment: [NamedTemplate]
    package var timeoutMs: UInt64?
    package var allowFailure: Bool
    package var logLimitBytes: UInt64?
    package var span: SourceSpan
    package var path: String
}

/// One name in `needs`.
package struct NeedDefinition: Sendable, Equatable {
    package var id: String
    package var span: SourceSpan
    package var path: String
}
