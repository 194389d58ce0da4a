import AnsFlowProtocol

/// Every maximum of the pipeline language, checked when compiling. Sizes are in bytes of UTF-8, times in milliseconds.
package enum PlanLimits {
    package static let sourceBytesMax = 1024 * 1024
    package static let yamlDepthMax = 64
    /// Nodes of the document after all aliases are expanded.
    package static let yamlNodesMax = 100_000
    package static let diagnosticsMax = 200

    /// Steps that a file may name, in all its jobs together. Built-in steps do not count.
    package static let stepsMax = 1_000
    package static let needsMax = 50
    package static let commandBytesMax = 64 * 1024
    package static let stepSpecBytesMax = ProtocolLimits.stepSpecBytesMax
    /// What is kept free in a step's specification for the variables that the controller and the agent add.
    package static let stepSpecReserveBytes = 8 * 1024
    /// Of all texts of a plan together, with `${{ }}` filled in.
    package static let planBytesMax = 16 * 1024 * 1024
    package static let nameBytesMax = 256
    package static let idBytesMax = 64
    package static let inputsMax = 64
    package static let inputOptionsMax = 100
    package static let inputBytesMax = 16 * 1024
    package static let environmentMax = 256
    package static let labelsMax = ProtocolLimits.labelsMax
    package static let labelBytesMax = ProtocolLimits.labelBytesMax
    package static let parallelMax = 64
    package static let parallelDefault = 4
    package static let checkoutDepthMax = 1_000_000

    package static let timeoutMsMin: UInt64 = 1_000
    package static let timeoutMsMax: UInt64 = 72 * 3_600_000
    package static let runTimeoutMsDefault: UInt64 = timeoutMsMax
    package static let jobTimeoutMsDefault: UInt64 = 6 * 3_600_000
    package static let stepTimeoutMsDefault: UInt64 = 3_600_000
    package static let graceMsDefault: UInt64 = 10_000
    package static let logBytesMin: UInt64 = 1024
    package static let logBytesMax = ProtocolLimits.logBytesMax
    package static let logBytesDefault = ProtocolLimits.logBytesDefault

    package static let matrixCellsMax = 256
    /// Before `exclude`.
    package static let matrixCombinationsMax = 2_048
    package static let matrixAxesMax = 16
    package static let matrixValueBytesMax = 128
    /// Edges between jobs, all cells counted.
    package static let jobEdgesMax = 20_000
    /// Patterns in one list of `when`, and arguments of `changed`.
    package static let patternsMax = 50
    package static let changedPatternsMax = 2 * patternsMax
    package static let filtersMax = 20
    package static let retriesMax = 10
    package static let backoffMsMax: UInt64 = 3_600_000
    package static let exitCodesMax = 64
    package static let concurrencyLimitMax = 1_000
    package static let priorityMax = 1_000
    package static let approvalMsDefault: UInt64 = 7 * 24 * 3_600_000
    package static let approvalMsMax: UInt64 = 30 * 24 * 3_600_000
    package static let finallyTimeoutMsDefault: UInt64 = 5 * 60_000
    package static let secretsMax = 64
    package static let secretBytesMax = 64 * 1024
    package static let artifactRulesMax = 20
    package static let artifactPathsMax = 50
    package static let artifactKeepMsMax: UInt64 = 3_650 * 24 * 3_600_000
    /// Of all outputs of a step together, and of a text that is filled in when a step starts.
    package static let outputBytesMax = 64 * 1024
    package static let payloadBytesMax = 64 * 1024
    package static let payloadDepthMax = 32
    package static let changedPathsMax = 10_000
    package static let includesMax = 20
    package static let includeDepthMax = 4

    package static let expressionBytesMax = 4096
    package static let expressionDepthMax = 16
    package static let expressionNodesMax = 256
    package static let globBytesMax = 256
    package static let globSubjectBytesMax = 4096
}
