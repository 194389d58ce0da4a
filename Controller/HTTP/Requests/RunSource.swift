import ControllerCore

/// What a run checks out, as a caller names it: `ref`, or `branch` or `tag`, and `commit`.
struct RunSource: Equatable, Sendable {
    /// Nil where nothing was named.
    private var named: String?
    private(set) var ref = ""
    private(set) var branch = ""
    private(set) var tag = ""
    private(set) var commit = ""

    /// Reads the fields; what is wrong is gathered there.
    init(_ fields: inout Fields) {
        let ref = fields.string("ref", max: 1024)
        let branch = fields.string("branch", max: 1024)
        let tag = fields.string("tag", max: 1024)
        commit = fields.string("commit", max: 64) ?? ""
        for (name, value) in [("ref", ref), ("branch", branch), ("tag", tag)] {
            guard let value, !value.isEmpty, let refusal = GitRef.check(value) else { continue }
            fields.wrong(name, refusal)
        }
        if !commit.isEmpty, let refusal = GitRef.checkCommit(commit) { fields.wrong("commit", refusal) }
        let given = [("ref", ref), ("branch", branch), ("tag", tag)].filter { $0.1?.isEmpty == false }
        if given.count > 1 {
            fields.wrong(given[1].0, "Give only one of `ref`, `branch` and `tag`.")
        }
        // A tag and a branch may have one name: their full ones tell them apart.
        named = ref ?? tag.map { "refs/tags/\($0)" } ?? branch.map { "refs/heads/\($0)" }
    }

    init(ref: String, branch: String, tag: String, commit: String) {
        self.ref = ref
        self.branch = branch
        self.tag = tag
        self.commit = commit
    }

    /// Whether one of `ref`, `branch` and `tag` was named.
    var isGiven: Bool { named != nil }

    /// With the pipeline's own ref where none was named, and with the branch or tag that the ref is.
    func from(_ pipeline: PipelineRow) -> RunSource {
        var source = self
        source.ref = named ?? pipeline.ref
        if source.ref.hasPrefix("refs/tags/") {
            source.tag = String(source.ref.dropFirst(10))
        } else if source.ref.hasPrefix("refs/heads/") {
            source.branch = String(source.ref.dropFirst(11))
        } else if !source.ref.hasPrefix("refs/") {
            source.branch = source.ref
        }
        return source
    }
}
