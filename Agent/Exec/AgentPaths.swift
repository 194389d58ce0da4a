/// Where things lie in an agent's data directory. All paths are absolute.
package struct AgentPaths: Sendable {
    package let root: String

    /// - Parameter root: Absolute.
    package init(root: String) {
        precondition(root.hasPrefix("/"), "an agent's data directory is named by an absolute path")
        var root = root
        while root.count > 1, root.hasSuffix("/") { root.removeLast() }
        self.root = root
    }

    package var lock: String { "\(root)/lock" }
    package var storeID: String { "\(root)/store-id" }
    package var journal: String { "\(root)/journal" }
    package var controlSocket: String { "\(root)/control.sock" }
    package var shims: String { "\(root)/shims" }
    package var starts: String { "\(root)/starts" }
    package var spools: String { "\(root)/spool" }
    package var work: String { "\(root)/work" }
    package var mirrors: String { "\(root)/mirrors" }

    package func shim(_ name: String) -> String { "\(shims)/\(name)" }
    package func startFile(_ attempt: Int64) -> String { "\(starts)/\(attempt)" }
    package func spool(_ attempt: Int64) -> String { "\(spools)/\(attempt).log" }
    package func exitRecord(_ attempt: Int64) -> String { "\(spools)/\(attempt).exit" }
    package func workspace(_ job: Int64) -> String { "\(work)/\(job)" }
    /// Where steps run and the repository lies.
    package func source(_ job: Int64) -> String { "\(work)/\(job)/src" }
    package func temporary(_ job: Int64) -> String { "\(work)/\(job)/tmp" }
    /// Where a step writes its outputs.
    package func output(_ job: Int64, _ attempt: Int64) -> String { "\(work)/\(job)/out-\(attempt)" }

    package var all: [String] { [root, shims, starts, spools, work, mirrors] }
}
