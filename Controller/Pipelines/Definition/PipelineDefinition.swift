package import AnsFlowProtocol
package import ControllerCore

/// A pipeline with its included files that was read and found right: everything that does not depend on what starts a run.
package struct PipelineDefinition: Sendable, Equatable {
    package var name: Template?
    /// What starts it: ``TriggerPlan/whenAbsent`` where the file has no `on`.
    package var triggers = TriggerPlan.whenAbsent
    /// Whether the file has `on`.
    package var hasTriggers = false
    /// Paths that the pipeline's own file includes, as written.
    package var includes: [String] = []
    package var environment: [NamedTemplate]
    package var inputs: [InputDefinition]
    package var defaults = Defaults()
    package var timeoutMs: UInt64?
    package var concurrency: ConcurrencyDefinition?
    package var priority: Int?
    package var notify: [NotifyPlan] = []
    package var jobs: [JobDefinition]

    package struct Defaults: Sendable, Equatable {
        /// Of steps that have no timeout of their own.
        package var stepTimeoutMs: UInt64?
        package var shell: StepSpec.Shell?
        package var agents: [NamedTemplate]?
    }

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
    package var path: DocumentPath

    var type: ExpressionType { ExpressionType(kind, options: options) }
}

package struct ConcurrencyDefinition: Sendable, Equatable {
    package var group: Template
    package var limit: Int
    package var order: ConcurrencyPlan.Order
    package var onNew: ConcurrencyPlan.OnNew
}

package struct ApprovalDefinition: Sendable, Equatable {
    package var by: [ApprovalPlan.Role]
    package var inputs: [InputDefinition]
    package var expiresMs: UInt64
    package var message: Template?
}

/// One name in `needs`.
package struct NeedDefinition: Sendable, Equatable {
    /// The file's id.
    package var id: String
    /// `build[arch=amd64]`: the whole text, of which only the cells with these values are meant.
    package var selector: Template?
    package var optional = false
    package var allowFailure = false
    package var span: SourceSpan
    package var path: DocumentPath
}
