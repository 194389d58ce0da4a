import ControllerCore

/// A bare repository on the controller's disk with the commits that were asked for, each without its history unless that was
/// needed. Whoever uses it holds its lock.
struct Mirror: Sendable {
    let path: String
    let address: GitAddress
    let git: GitProcess
    let failures: GitFailures
    let configuration: RepositoryCacheConfiguration
    /// Waits for a free connection and runs the body with it.
    let connecting:
        @Sendable (@Sendable () async -> Result<GitProcess.Outcome, RepositoryFailure>) async -> Result<
            GitProcess.Outcome, RepositoryFailure
        >

    /// Paths that are listed.
    static let pathsMax = 20_000
    private static let listBytesMax = 8 << 20

    // MARK: Names

    /// What a name stands for at the host.
    func resolve(_ ref: String) async throws(RepositoryFailure) -> ResolvedCommit {
        let candidates =
            ref.isEmpty || ref == "HEAD"
            ? ["HEAD"] : ref.hasPrefix("refs/") ? [ref] : ["refs/heads/\(ref)", "refs/tags/\(ref)"]
        let patterns = candidates + candidates.map { "\($0)^{}" }
        let answer = try await remote(
            .contact, ["ls-remote", "--quiet", "--symref", "--", address.text] + patterns,
            limit: configuration.contactLimit)
        var commits: [String: String] = [:]
        var head = ""
        for line in answer.text.split(separator: "\n") {
            let columns = line.split(separator: "\t", maxSplits: 1).map(String.init)
            guard columns.count == 2 else { continue }
            if columns[0].hasPrefix("ref: ") {
                if columns[1] == "HEAD" { head = String(columns[0].dropFirst(5)) }
            } else if GitRef.checkCommit(columns[0]) == nil {
                commits[columns[1]] = columns[0]
            }
        }
        for name in candidates {
            // An annotated tag has a commit below itself.
            if let commit = commits["\(name)^{}"] ?? commits[name] {
                return ResolvedCommit(commit: commit, ref: name == "HEAD" ? head : name)
            }
        }
        throw RepositoryFailure(
            .ref, .noSuchRef,
            candidates == ["HEAD"]
                ? "\(address.shown) has no default branch. Is it empty?"
                : "\(address.shown) has no branch or tag `\(ref)`. Was it deleted, or never pushed?")
    }

    /// Branches that are listed.
    private static let branchesMax = 10_000

    func branches() async throws(RepositoryFailure) -> [ResolvedCommit] {
        let answer = try await remote(
            .contact, ["ls-remote", "--quiet", "--heads", "--", address.text], limit: configuration.contactLimit)
        var found: [ResolvedCommit] = []
        for line in answer.text.split(separator: "\n").prefix(Self.branchesMax) {
            let columns = line.split(separator: "\t", maxSplits: 1).map(String.init)
            guard columns.count == 2, GitRef.checkCommit(columns[0]) == nil else { continue }
            found.append(ResolvedCommit(commit: columns[0], ref: columns[1]))
        }
        return found
    }

    // MARK: Commits

    func has(_ commit: String) async -> Bool {
        (try? await git.run(["-C", path, "cat-file", "-e", "\(commit)^{commit}"], limit: configuration.localLimit))?
            .succeeded ?? false
    }

    /// Brings a commit here, where it is not yet.
    func ensure(_ wanted: ResolvedCommit) async throws(RepositoryFailure) {
        try await prepare(hashBits: wanted.commit.utf8.count == 64 ? 256 : 1)
        if await has(wanted.commit) { return }
        do {
            try await fetch(wanted)
        } catch {
            // What a killed git left behind, or a damaged disk, would fail for ever: once more from nothing.
            guard error.reason == .other || error.gitSays.contains(".lock") || error.gitSays.contains("corrupt") else {
                throw error
            }
            DirectoryTree.remove(path)
            try await prepare(hashBits: wanted.commit.utf8.count == 64 ? 256 : 1)
            try await fetch(wanted)
        }
    }

    private func prepare(hashBits: Int) async throws(RepositoryFailure) {
        let packs = PrivateFiles.names(in: "\(path)/objects/pack").count { $0.hasSuffix(".pack") }
        if packs > configuration.fetchesMax { DirectoryTree.remove(path) }
        guard !DirectoryTree.exists("\(path)/HEAD") else { return }
        let format = hashBits == 256 ? "sha256" : "sha1"
        try await local(
            .fetch, ["init", "--quiet", "--bare", "--template=", "--object-format=\(format)", "--", path])
    }

    private func fetch(_ wanted: ResolvedCommit) async throws(RepositoryFailure) {
        // Most hosts give a commit by its id, without the history.
        do {
            try await fetch(["--depth=1"], ["\(wanted.commit):refs/ansflow/\(Self.slot(wanted))"])
            if await has(wanted.commit) { return }
        } catch {
            switch error.reason {
            case .denied, .timeout, .tooLarge, .here, .noSuchRepository: throw error
            default: break
            }
        }
        let history = DirectoryTree.exists("\(path)/shallow") ? ["--unshallow"] : []
        let name = wanted.ref.isEmpty ? "HEAD" : wanted.ref
        try await fetch(history, ["\(name):refs/ansflow/\(Self.slot(wanted))"])
        guard await has(wanted.commit) else {
            throw RepositoryFailure(
                .fetch, .noSuchCommit,
                "\(address.shown) does not give the commit \(wanted.commit). Was it pushed, or was \(name) rewritten since?"
            )
        }
    }

    /// One local ref for each name that is followed, so that the next fetch says what is here already.
    private static func slot(_ wanted: ResolvedCommit) -> String {
        wanted.ref.hasPrefix("refs/") ? String(wanted.ref.dropFirst(5)) : "commit"
    }

    private func fetch(_ options: [String], _ refs: [String]) async throws(RepositoryFailure) {
        let (path, bytesMax) = (path, configuration.mirrorBytesMax)
        let watch: @Sendable () async -> Void = {
            while (try? await Task.sleep(for: .milliseconds(500))) != nil {
                if DirectoryTree.bytes(path) > bytesMax { return }
            }
        }
        var failure: RepositoryFailure?
        do {
            try await remote(
                .fetch,
                [
                    "-C", path, "-c", "fetch.unpackLimit=1", "fetch", "--quiet", "--no-tags", "--force",
                    "--no-write-fetch-head",
                ] + options + ["--", address.text] + refs.map { "+\($0)" },
                limit: configuration.fetchLimit, watch: watch)
        } catch {
            failure = error
        }
        guard DirectoryTree.bytes(path) > bytesMax else {
            if let failure { throw failure }
            return
        }
        DirectoryTree.remove(path)
        throw RepositoryFailure(
            .fetch, .tooLarge,
            "\(address.shown) is larger than the \(bytesMax >> 20) MiB that the controller takes of one repository. "
                + "Give the pipeline a stored definition instead.")
    }

    // MARK: Contents

    func read(_ file: String, at commit: String, limitBytes: Int) async throws(RepositoryFailure) -> String {
        let listing = try await local(.read, ["-C", path, "ls-tree", "-z", "-l", "--full-tree", commit, "--", file])
        // `100644 blob <id> <size>\t<path>\0`
        guard let line = listing.text.split(separator: "\0").first else {
            throw RepositoryFailure(
                .read, .noSuchFile,
                "\(address.shown) has no file `\(file)` at \(commit.prefix(12)). Is the path right, and was the file pushed?"
            )
        }
        let columns = line.prefix { $0 != "\t" }.split(separator: " ")
        guard columns.count == 4, columns[1] == "blob", columns[0].hasPrefix("100"), let size = Int(columns[3]) else {
            throw RepositoryFailure(
                .read, .notAFile,
                "`\(file)` of \(address.shown) is a folder, a symbolic link or a submodule; it must be a file.")
        }
        guard size <= limitBytes else {
            throw RepositoryFailure(
                .read, .tooLarge,
                "`\(file)` of \(address.shown) has \(size) bytes; at most \(limitBytes) are allowed.")
        }
        let blob = try await local(
            .read, ["-C", path, "cat-file", "blob", String(columns[2])], outputMax: limitBytes + 1)
        guard let text = String(validating: blob.output, as: UTF8.self) else {
            throw RepositoryFailure(.read, .notAFile, "`\(file)` of \(address.shown) is not text in UTF-8.")
        }
        return text
    }

    func files(below folder: String, at commit: String) async throws(RepositoryFailure) -> [String] {
        let listing = try await local(
            .read,
            ["-C", path, "ls-tree", "-r", "-z", "--name-only", "--full-tree", commit]
                + (folder.isEmpty ? [] : ["--", folder.hasSuffix("/") ? folder : folder + "/"]),
            outputMax: Self.listBytesMax)
        return listing.text.split(separator: "\0").prefix(Self.pathsMax).map(String.init)
    }

    // MARK: Changes

    func changedPaths(
        from: String?, to commit: ResolvedCommit, sinceMergeBase: Bool
    ) async throws(RepositoryFailure) -> ChangedPaths {
        try await ensure(commit)
        var base: ResolvedCommit
        if let from {
            base = ResolvedCommit(commit: from, ref: commit.ref)
        } else {
            base = try await resolve("")
            if base.commit == commit.commit || base.ref == commit.ref {
                return .unknown("nothing is known to compare it with")
            }
        }
        do {
            try await ensure(base)
        } catch {
            guard error.reason == .noSuchCommit || error.reason == .other else { throw error }
            return .unknown("the commit \(base.commit) is not to be had any more")
        }
        if sinceMergeBase || from == nil {
            guard let met = try await mergeBase(base.commit, commit.commit) else {
                return .unknown("the two commits have no history in common that could be found")
            }
            base.commit = met
        }
        let outcome: GitProcess.Outcome
        do throws(GitProcess.Failure) {
            outcome = try await git.run(
                ["-C", path, "diff-tree", "-r", "-z", "--name-only", "--no-renames", base.commit, commit.commit],
                limit: configuration.localLimit, outputMax: Self.listBytesMax)
        } catch {
            if case .tooMuchOutput = error { return .unknown("more files were changed than are looked at") }
            throw failures.failure(.compare, error, limit: configuration.localLimit)
        }
        guard outcome.succeeded else { throw failures.failure(.compare, outcome) }
        return .known(outcome.text.split(separator: "\0").map(String.init))
    }

    /// Where two histories met last. Commits come here without their history, so more of it is fetched until it shows.
    private func mergeBase(_ one: String, _ other: String) async throws(RepositoryFailure) -> String? {
        for depth in ["", "--depth=50", "--depth=1000", "--unshallow"] {
            if !depth.isEmpty {
                guard DirectoryTree.exists("\(path)/shallow") else { return nil }
                do {
                    try await fetch([depth], ["\(one):refs/ansflow/one", "\(other):refs/ansflow/other"])
                } catch {
                    guard error.reason == .other else { throw error }
                    return nil
                }
            }
            let answer = try? await git.run(
                ["-C", path, "merge-base", one, other], limit: configuration.localLimit)
            guard let answer, answer.succeeded else { continue }
            let found = answer.text.prefix { $0.isHexDigit }
            if GitRef.checkCommit(String(found)) == nil { return String(found) }
        }
        return nil
    }

    // MARK: Processes

    @discardableResult
    private func remote(
        _ step: RepositoryFailure.Step, _ arguments: [String], limit: Duration,
        watch: (@Sendable () async -> Void)? = nil
    ) async throws(RepositoryFailure) -> GitProcess.Outcome {
        try await connecting { [git, failures] in
            do throws(GitProcess.Failure) {
                let outcome = try await git.run(arguments, limit: limit, watch: watch)
                return outcome.succeeded ? .success(outcome) : .failure(failures.failure(step, outcome))
            } catch {
                return .failure(failures.failure(step, error, limit: limit))
            }
        }.get()
    }

    @discardableResult
    private func local(
        _ step: RepositoryFailure.Step, _ arguments: [String], outputMax: Int = 1 << 20
    ) async throws(RepositoryFailure) -> GitProcess.Outcome {
        let limit = configuration.localLimit
        let outcome: GitProcess.Outcome
        do throws(GitProcess.Failure) {
            outcome = try await git.run(arguments, limit: limit, outputMax: outputMax)
        } catch {
            throw failures.failure(step, error, limit: limit)
        }
        guard outcome.succeeded else { throw failures.failure(step, outcome) }
        return outcome
    }
}
