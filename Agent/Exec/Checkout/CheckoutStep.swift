package import AnsFlowProtocol
import CAgentSystem
import Crypto
import Glibc

/// The built-in step `checkout`: brings one commit of a repository into the workspace, through a mirror that all jobs share.
///
/// It runs under a shim like any step, so its words are the step's log and it outlives the agent.
package struct CheckoutStep: Sendable {
    private static let fetchLimit = Duration.seconds(30 * 60)
    private static let localLimit = Duration.seconds(10 * 60)

    private let checkout: StepSpec.Checkout
    private let address: RepositoryAddress
    private let mirror: String
    private let directory: String
    private let git: GitRunner

    /// - Parameters:
    ///   - directory: Where the files go; absolute.
    ///   - mirrors: Where mirrors are kept.
    ///   - host: This process's environment.
    package init(
        _ checkout: StepSpec.Checkout, directory: String, mirrors: String, host: [String: String]
    ) throws(CheckoutFailure) {
        self.checkout = checkout
        self.directory = directory
        address = try RepositoryAddress(checkout.url, allowLocal: checkout.allowLocal)
        git = GitRunner(protocols: address.protocols, host: host)
        let digest = SHA256.hash(data: Array(checkout.url.utf8)).prefix(16)
        mirror = "\(mirrors)/" + digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        try Self.check(ref: checkout.ref)
        try Self.check(commit: checkout.commit)
    }

    /// The step as its shim runs it: specification and directories come by the environment.
    ///
    /// - Returns: The process's exit code.
    package static func run(host: [String: String], directory: String) async -> Int32 {
        do {
            guard let text = host[StepCommand.checkoutVariable], let mirrors = host[StepCommand.mirrorsVariable],
                case .checkout(let checkout)? = try? WireCodec.decodeSpec(Array(text.utf8)).action
            else { throw CheckoutFailure("This command is a step's: the agent runs it.") }
            try await CheckoutStep(checkout, directory: directory, mirrors: mirrors, host: host).run()
            return 0
        } catch {
            _ = Files.writeAll(2, Array("checkout: \(error)\n".utf8))
            return 1
        }
    }

    package func run() async throws {
        let lock = try lockMirror()
        defer { close(lock) }
        try await prepareMirror()
        let commit = try await fetch()
        try await update(commit)
        if checkout.submodules { try await submodules() }
        if checkout.lfs { try await largeFiles() }
        _ = Files.writeAll(1, Array("Checked out \(commit) of \(address.shown).\n".utf8))
    }

    // MARK: Mirror

    /// One checkout of a repository at a time on a host.
    private func lockMirror() throws(CheckoutFailure) -> Int32 {
        let path = "\(mirror).lock"
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw CheckoutFailure(FileFailure("Can't make", path, errno).description) }
        if flock(file, LOCK_EX | LOCK_NB) != 0 {
            _ = Files.writeAll(1, Array("Waiting for another checkout of \(address.shown) on this host.\n".utf8))
            while flock(file, LOCK_EX) != 0 && errno == EINTR {}
        }
        return file
    }

    private func prepareMirror() async throws {
        let isGood = try await git.ask(["-C", mirror, "rev-parse", "--is-bare-repository"]).output.hasPrefix("true")
        if isGood { return }
        if let slash = mirror.lastIndex(of: "/") {
            try TreeRemoval.remove(name: String(mirror[mirror.index(after: slash)...]), in: String(mirror[..<slash]))
        }
        guard try await git.ask(["init", "--quiet", "--bare", "--", mirror]).succeeded else {
            throw CheckoutFailure("A mirror can't be made in \(mirror). Is git installed, and is the disk writable?")
        }
    }

    /// Fetches what is wanted and returns its commit.
    private func fetch() async throws -> String {
        if !checkout.commit.isEmpty, try await has(checkout.commit) {
            // The mirror has it: nothing is asked of the network. A shallow history would be too short for a deeper wish.
            if checkout.depth == 1 { return checkout.commit }
        }
        let refs = checkout.ref.isEmpty ? ["HEAD"] : candidates(checkout.ref)
        let found = try await remoteRef(refs)
        if checkout.commit.isEmpty {
            try await fetch(found)
            return try await commit(of: "FETCH_HEAD")
        }
        // Most hosts give a commit by its id; where one does not, its branch has it.
        if try await git.show(fetchArguments([checkout.commit]), limit: Self.fetchLimit, hiding: address),
            try await has(checkout.commit)
        {
            return checkout.commit
        }
        try await fetch(found, depth: 0)
        guard try await has(checkout.commit) else {
            throw CheckoutFailure(
                "Commit \(checkout.commit) is not in \(address.shown). Was it pushed, and is it on \(found)?")
        }
        return checkout.commit
    }

    private func candidates(_ ref: String) -> [String] {
        ref.hasPrefix("refs/") || ref == "HEAD" ? [ref] : ["refs/heads/\(ref)", "refs/tags/\(ref)"]
    }

    /// The first of `refs` that the repository has.
    private func remoteRef(_ refs: [String]) async throws -> String {
        let answer = try await git.ask(["ls-remote", "--quiet", "--", address.text] + refs, limit: .seconds(120))
        guard answer.succeeded else {
            // Once more for its words, which go to the log.
            _ = try await git.show(["ls-remote", "--quiet", "--", address.shown] + refs, limit: .seconds(60))
            throw CheckoutFailure(
                "Fetching from \(address.shown) failed. Is the address right, can this host reach it, and may it read it?"
            )
        }
        let names = Set(
            answer.output.split(separator: "\n").compactMap { $0.split(separator: "\t").last.map(String.init) })
        guard let found = refs.first(where: { names.contains($0) }) else {
            let wanted = checkout.ref.isEmpty ? "a default branch" : "\"\(checkout.ref)\""
            throw CheckoutFailure(
                "\(address.shown) has no branch or tag \(wanted). Check the ref, or whether it was deleted since.")
        }
        return found
    }

    private func fetch(_ ref: String, depth: Int? = nil) async throws {
        guard try await git.show(fetchArguments([ref], depth: depth), limit: Self.fetchLimit, hiding: address) else {
            throw CheckoutFailure("Fetching \(ref) from \(address.shown) failed.")
        }
    }

    private func fetchArguments(_ refs: [String], depth: Int? = nil) -> [String] {
        let depth = depth ?? checkout.depth
        var arguments = ["-C", mirror, "fetch", "--no-tags", "--force"]
        if depth > 0 {
            arguments += ["--depth=\(depth)"]
        } else if Files.exists("\(mirror)/shallow") {
            arguments += ["--unshallow"]
        }
        return arguments + ["--", address.text] + refs
    }

    private func has(_ commit: String) async throws -> Bool {
        try await git.ask(["-C", mirror, "cat-file", "-e", "\(commit)^{commit}"]).succeeded
    }

    private func commit(of name: String) async throws -> String {
        let answer = try await git.ask(["-C", mirror, "rev-parse", "--verify", "\(name)^{commit}"])
        let text = answer.output.prefix { $0.isHexDigit }
        guard answer.succeeded, text.count >= 40 else {
            throw CheckoutFailure("What \(address.shown) has under \"\(checkout.ref)\" is not a commit.")
        }
        return String(text)
    }

    // MARK: Workspace

    private func update(_ commit: String) async throws {
        let local = GitRunner(protocols: "file", host: git.host)
        if !Files.exists("\(directory)/.git") {
            guard try await local.ask(["init", "--quiet", "--", directory]).succeeded else {
                throw CheckoutFailure("A repository can't be made in \(directory).")
            }
        }
        // Objects are copied, so that the workspace does not need the mirror afterwards. A mark in the mirror makes the commit a ref,
        // since only those can be fetched from it whatever its settings.
        let mark = "refs/ansflow/\(commit)"
        guard try await local.ask(["-C", mirror, "update-ref", mark, commit]).succeeded else {
            throw CheckoutFailure("The mirror in \(mirror) can't be written.")
        }
        var fetch = ["-C", directory, "fetch", "--quiet", "--no-tags", "--force"]
        if checkout.depth > 0 { fetch += ["--depth=\(checkout.depth)"] }
        guard try await local.show(fetch + ["--", "file://\(mirror)", mark], limit: Self.localLimit) else {
            throw CheckoutFailure("The commit can't be brought from the mirror into \(directory). Is the disk full?")
        }
        guard
            try await local.show(
                ["-C", directory, "checkout", "--force", "--detach", commit, "--"], limit: Self.localLimit)
        else { throw CheckoutFailure("The files of \(commit) can't be written to \(directory). Is the disk full?") }
        if checkout.clean {
            guard try await local.show(["-C", directory, "clean", "-ffdx", "--quiet"], limit: Self.localLimit) else {
                throw CheckoutFailure("Files that git does not know can't be removed from \(directory).")
            }
        }
        _ = try await local.ask(["-C", directory, "remote", "remove", "origin"])
        _ = try await local.ask(["-C", directory, "remote", "add", "--", "origin", address.shown])
    }

    private func submodules() async throws {
        // Submodules' addresses come from the repository, so they get the same protocols and no local paths.
        var arguments = ["-C", directory, "submodule", "update", "--init", "--recursive", "--force"]
        if checkout.depth > 0 { arguments += ["--depth=\(checkout.depth)"] }
        guard try await git.show(arguments, limit: Self.fetchLimit) else {
            throw CheckoutFailure("A submodule of \(address.shown) can't be fetched; the lines above say which.")
        }
    }

    private func largeFiles() async throws {
        _ = try await git.ask(["-C", directory, "lfs", "install", "--local", "--skip-repo"])
        guard try await git.show(["-C", directory, "lfs", "pull"], limit: Self.fetchLimit) else {
            throw CheckoutFailure(
                "Large files of \(address.shown) can't be fetched. Is git-lfs installed on this host?")
        }
    }

    // MARK: Names

    private static func check(ref: String) throws(CheckoutFailure) {
        let bad = ref.hasPrefix("-") || ref.contains("..") || ref.utf8.count > 1024
        guard !bad, ref.utf8.allSatisfy({ $0 > 32 && $0 != 127 && !"~^:?*[\\".utf8.contains($0) }) else {
            throw CheckoutFailure("\"\(ref.prefix(60))\" is not a name that a branch or tag can have.")
        }
    }

    private static func check(commit: String) throws(CheckoutFailure) {
        guard
            commit.isEmpty
                || ((40...64).contains(commit.utf8.count)
                    && commit.utf8.allSatisfy { Character(UnicodeScalar($0)).isHexDigit })
        else { throw CheckoutFailure("\"\(commit.prefix(70))\" is not a full commit id.") }
    }
}
