extension PipelineDraft {
    /// What is saved of a pipeline.
    package init(_ row: PipelineRow) {
        self.init(
            project: row.project, name: row.name, definition: row.definition, repositoryURL: row.repositoryURL,
            ref: row.ref, path: row.path, credential: row.credential, enabled: row.enabled)
    }
}
