/// Indexes that cost every new run a page and that no list needs.
enum SchemaV2Indexes {
    static let statements = [
        // `runs_number` begins with the pipeline too, and numbers of a pipeline's runs ascend as their ids do.
        "DROP INDEX runs_pipeline",
        // Who goes on behind an event is few events behind: they are read by their ids, other pipelines' included.
        "DROP INDEX events_pipeline",
    ]
}
