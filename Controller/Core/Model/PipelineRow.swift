import AnsFlowProtocol

package struct PipelineRow: Equatable, Sendable {
    package var id: PipelineID
    package var project: ProjectID
    package var name: String
    /// The YAML text.
    package var definition: String
    /// Empty where the pipeline checks nothing out.
    package var repositoryURL: String
    package var ref: String
    package var enabled: Bool
    /// Counts saved definitions from 1.
    package var version: Int
    package var createdAt: Int64
    package var updatedAt: Int64

    package init(
        id: PipelineID, project: ProjectID, name: String, definition: String, repositoryURL: String, ref: String,
        enabled: Bool = true, version: Int = 1, createdAt: Int64, updatedAt: Int64
    ) {
        self.id = id
        self.project = project
        self.name = name
        self.definition = definition
        self.repositoryURL = repositoryURL
        self.ref = ref
        self.enabled = enabled
        self.version = version
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}
