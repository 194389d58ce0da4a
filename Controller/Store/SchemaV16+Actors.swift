/// Runs by who began them: "mine" is asked for again and again.
enum SchemaV16Actors {
    static let statements = ["CREATE INDEX runs_actor ON runs (actor)"]
}
