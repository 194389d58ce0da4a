import AnsFlowProtocol

package struct PipelineRow: Equatable, Sendable {
    package var id: PipelineID
    package var project: ProjectID
    package var name: String
    /// The YAML text. Where ``path`` is set: as it was last read from the repository.
    package var definition: String
    /// Empty where the pipeline checks nothing out.
    package var repositoryURL: String
    package var ref: String
    /// Where the definition lies in the repository; empty where it is stored here alone.
    package var path: String
    /// The project's secret that opens the repository; empty where none is needed. See ``GitCredential/init(secret:)``.
    package var credential: String
    package var enabled: Bool
    /// Counts saved definitions from 1.
    package var version: Int
    package var createdAt: Int64
    package var updatedAt: Int64

    package init(
        id: PipelineID, project: ProjectID, name: String, definition: String, repositoryURL: String, ref: String,
        path: String = "", credential: String = "", enabled: Bool = true, version: Int = 1, createdAt: Int64,
        updatedAt: Int64
    ) {
        self.id = id
        self.project = project
        self.name = name
        self.definition = definition
        self.repositoryURL = repositoryURL
        self.ref = ref
        self.path = path
        self.credential = credential
        self.enabled = enabled
        self.version = version
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }

    /// Whether its runs read their definition from the repository, each at its own commit.
    package var readsFromRepository: Bool { !path.isEmpty }
}
