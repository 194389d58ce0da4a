extension PipelineSchema {
    /// What is known and refused as "not supported yet". Nothing else has to change with this list.
    ///
    /// A word that stands here alone is refused wherever pipelines, jobs and steps have it; `step.retry` only in a step, and
    /// `need.optional` in the map of that name. `changed()` is a function of expressions, `outputs` their last part.
    package static let later: Set<String> = [
        "cache", "container", "services", "cpu", "memory", "pids", "hash()",
    ]

    /// - Parameter title: of the object to which the word belongs, as `a step`.
    static func isLater(_ word: String, in title: String) -> Bool {
        let object = String(title.split(separator: " ").last ?? "")
        return later.contains("\(object).\(word)")
            || ["pipeline", "file", "job", "step", "limits"].contains(object) && later.contains(word)
    }
}
