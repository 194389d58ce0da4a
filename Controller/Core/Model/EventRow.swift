import AnsFlowProtocol

/// One entry of a run's history: what the API lists, what live topics send and what the engine committed are the same thing.
package struct EventRow: Equatable, Sendable {
    package enum Kind: String, Codable, Sendable, CaseIterable {
        case execution = "execution_update"
        case step = "step_update"
    }

    /// Instance-wide number: the cursor of every topic but a run's own.
    package var id: Int64
    package var run: RunID
    package var pipeline: PipelineID
    package var project: ProjectID
    /// The run's own number, from 1 with no holes.
    package var seq: Int64
    package var at: Int64
    package var kind: Kind
    /// The event's `data`, a JSON object in UTF-8.
    package var data: [UInt8]

    package init(
        id: Int64, run: RunID, pipeline: PipelineID, project: ProjectID, seq: Int64, at: Int64, kind: Kind,
        data: [UInt8]
    ) {
        self.id = id
        self.run = run
        self.pipeline = pipeline
        self.project = project
        self.seq = seq
        self.at = at
        self.kind = kind
        self.data = data
    }
}
