import Glibc

/// Starts shims.
package struct ShimSpawner: Sendable {
    /// Absolute.
    private let program: String
    private let paths: AgentPaths
    /// Where shims make their cgroups.
    package let cgroupParent: String?
    private let leashed: Bool

    /// - Parameters:
    ///   - program: The shim's program; by default the one beside this process's own.
    ///   - leashed: Whether steps end with this process instead of outliving it.
    /// - Throws: Where there is no such program.
    package init(
        program: String? = nil, paths: AgentPaths, cgroupParent: String?, leashed: Bool = false
    ) throws(FileFailure) {
        let own = HostFacts.ownProgram() ?? "/usr/bin/ansflow-agent"
        let directory = own.lastIndex(of: "/").map { String(own[..<$0]) } ?? "/usr/bin"
        self.program = program ?? "\(directory)/ansflow-shim"
        guard access(self.program, X_OK) == 0 else {
            var failure = FileFailure("Can't execute", self.program, errno)
            failure.description += " ansflow-shim must lie beside ansflow-agent."
            throw failure
        }
        self.paths = paths
        self.cgroupParent = cgroupParent
        self.leashed = leashed
    }

    /// Why a shim did not come up.
    package struct Failure: Error, CustomStringConvertible {
        package var description: String
    }

    /// Starts a shim and returns when it holds its lock and answers on its socket. Blocks until then.
    package func spawn(_ name: String) throws {
        let directory = paths.shim(name)
        try Files.makeDirectory(directory)
        var arguments = ["--dir", directory]
        if let cgroupParent { arguments += ["--cgroup", cgroupParent] }
        if leashed { arguments.append("--leash") }
        let slash = program.lastIndex(of: "/") ?? program.startIndex
        // Nothing else of the agent's environment reaches it.
        let run = try ProgramRun.of(program, arguments, environment: ["PATH": String(program[..<slash])])
        guard run.succeeded else {
            throw Failure(description: run.said.isEmpty ? "The shim's first process \(run.ending)." : run.said)
        }
    }
}
