extension PipelineSchema {
    /// Words that are known and refused as "not supported yet". A word that stands here alone is refused wherever it is a word;
    /// `step.retry` only in a step. Nothing else has to change with this list.
    package static let later: Set<String> = [
        "notify", "cache", "container", "services", "cpu", "memory", "pids",
    ]

    /// - Parameter title: of the object to which the word belongs, as `a step`.
    static func isLater(_ word: String, in title: String) -> Bool {
        later.contains(word) || later.contains("\(title.split(separator: " ").last ?? "").\(word)")
    }
}
