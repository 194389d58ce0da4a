package import ControllerCore
import Crypto
import Glibc
package import Logging

/// Mirrors of git repositories on the controller's disk, read by real git processes.
///
/// A mirror belongs to an address and a credential, so that who may not read a repository does not find its mirror. Its
/// operations run one after another. Who asks for a name while another request for it still waits shares that one's answer; who
/// asks later gets a fresh one.
package actor RepositoryCache: RepositoryReading {
    private let configuration: RepositoryCacheConfiguration
    private let logger: Logger
    private let home: String
    private let gitConfiguration: String
    private let privateDirectory: String
    private let mirrors: String

    /// What is known of each mirror's directory.
    private var known: [String: Known]
    private var locked: Set<String> = []
    private var lockWaiters: [String: [CheckedContinuation<Void, Never>]] = [:]
    private var waiting = 0
    /// Lookups of names that have not begun.
    private var lookups: [Lookup: Task<Result<ResolvedCommit, RepositoryFailure>, Never>] = [:]
    private var connections = 0
    private var connectionWaiters: [CheckedContinuation<Void, Never>] = []
    /// Grows with each use; orders mirrors by it.
    private var uses: Int64

    private struct Known {
        var bytes: Int64
        var used: Int64
    }

    private struct Lookup: Hashable {
        var mirror: String
        var ref: String
    }

    /// Requests that wait for a mirror. One more is refused.
    private static let waitingMax = 1_000

    /// - Throws: where the directory can't be made or written.
    package init(
        _ configuration: RepositoryCacheConfiguration, logger: Logger = Logger(label: "ansflow.repositories")
    ) throws(RepositoryFailure) {
        self.configuration = configuration
        self.logger = logger
        let directory = configuration.directory
        home = directory + "/home"
        gitConfiguration = directory + "/gitconfig"
        privateDirectory = directory + "/private"
        mirrors = directory + "/mirrors"
        for path in [directory, home, privateDirectory, mirrors] {
            guard DirectoryTree.make(path) else {
                throw RepositoryFailure(
                    .fetch, .here, "The directory \(path) can't be made: \(String(cString: strerror(errno))).")
            }
        }
        PrivateFiles.removeAll(below: privateDirectory)
        let file = open(gitConfiguration, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        let text = Array(GitSettings.configuration.utf8)
        guard file >= 0, text.withUnsafeBytes({ write(file, $0.baseAddress, $0.count) }) == text.count else {
            throw RepositoryFailure(.fetch, .here, "The file \(gitConfiguration) can't be written.")
        }
        close(file)
        known = Self.find(in: mirrors)
        uses = Int64(known.count)
    }

    /// What an earlier process left, in the order of its use.
    private static func find(in mirrors: String) -> [String: Known] {
        let names = PrivateFiles.names(in: mirrors).map { (name: $0, age: DirectoryTree.age("\(mirrors)/\($0)")) }
        var found: [String: Known] = [:]
        for (index, mirror) in names.sorted(by: { $0.age < $1.age }).enumerated() {
            found[mirror.name] = Known(bytes: DirectoryTree.bytes("\(mirrors)/\(mirror.name)"), used: Int64(index))
        }
        return found
    }

    // MARK: Reading

    package func resolve(
        _ ref: String, in source: RepositorySource
    ) async throws(RepositoryFailure) -> ResolvedCommit {
        if GitRef.checkCommit(ref) == nil { return ResolvedCommit(commit: ref.lowercased(), ref: "") }
        if !ref.isEmpty, let refusal = GitRef.check(ref) { throw RepositoryFailure(.ref, .noSuchRef, refusal) }
        let lookup = Lookup(mirror: Self.name(of: source), ref: ref)
        if let shared = lookups[lookup] { return try await shared.value.get() }
        // Awaited by all that share it, the first of them below.
        let task = Task { await look(up: lookup, source) }
        lookups[lookup] = task
        return try await task.value.get()
    }

    private func look(up lookup: Lookup, _ source: RepositorySource) async -> Result<ResolvedCommit, RepositoryFailure>
    {
        await using(source, before: { self.lookups[lookup] = nil }) { mirror in
            do throws(RepositoryFailure) {
                return .success(try await mirror.resolve(lookup.ref))
            } catch {
                return .failure(error)
            }
        }
    }

    package func read(
        _ path: String, at commit: ResolvedCommit, in source: RepositorySource, limitBytes: Int
    ) async throws(RepositoryFailure) -> String {
        let clean: String
        do {
            clean = try IncludeWalk.normalise(path, in: path)
        } catch {
            throw RepositoryFailure(.read, .noSuchFile, error.description)
        }
        return try await using(source) { mirror in
            do throws(RepositoryFailure) {
                try await mirror.ensure(commit)
                return .success(try await mirror.read(clean, at: commit.commit, limitBytes: limitBytes))
            } catch {
                return .failure(error)
            }
        }.get()
    }

    package func files(
        below folder: String, at commit: ResolvedCommit, in source: RepositorySource
    ) async throws(RepositoryFailure) -> [String] {
        try await using(source) { mirror in
            do throws(RepositoryFailure) {
                try await mirror.ensure(commit)
                return .success(try await mirror.files(below: folder, at: commit.commit))
            } catch {
                return .failure(error)
            }
        }.get()
    }

    package func branches(in source: RepositorySource) async throws(RepositoryFailure) -> [ResolvedCommit] {
        try await using(source) { mirror in
            do throws(RepositoryFailure) {
                return .success(try await mirror.branches())
            } catch {
                return .failure(error)
            }
        }.get()
    }

    package func changedPaths(
        from: String?, to commit: ResolvedCommit, sinceMergeBase: Bool, in source: RepositorySource
    ) async throws(RepositoryFailure) -> ChangedPaths {
        try await using(source) { mirror in
            do throws(RepositoryFailure) {
                return .success(try await mirror.changedPaths(from: from, to: commit, sinceMergeBase: sinceMergeBase))
            } catch {
                return .failure(error)
            }
        }.get()
    }

    // MARK: Locks

    /// Runs the body with the mirror's lock and credential.
    private func using<Value: Sendable>(
        _ source: RepositorySource, before: () -> Void = {},
        _ body: @Sendable (Mirror) async -> Result<Value, RepositoryFailure>
    ) async -> Result<Value, RepositoryFailure> {
        let name = Self.name(of: source)
        guard waiting < Self.waitingMax else {
            before()
            return .failure(
                RepositoryFailure(.contact, .here, "Too many requests for repositories wait. Try again later."))
        }
        await lock(name)
        before()
        defer { unlock(name) }
        do throws(RepositoryFailure) {
            let address = try GitAddress(source)
            let access = try GitAccess(
                address, source.credential, configuration, home: home, file: gitConfiguration,
                privateDirectory: privateDirectory)
            defer { access.end() }
            let path = "\(mirrors)/\(name)"
            let mirror = Mirror(
                path: path, address: address, git: access.process,
                failures: GitFailures(address: address, credential: source.credential), configuration: configuration,
                connecting: { body in await self.connected(body) })
            let result = await body(mirror)
            account(name, path)
            if case .failure(let failure) = result {
                // What is wrong with a repository is its users' to know, and they are told; a full disk is the operator's.
                logger.log(
                    level: failure.reason == .here ? .warning : .debug, "a repository could not be read",
                    metadata: [
                        "repository": "\(address.shown)", "step": "\(failure.step.rawValue)",
                        "reason": "\(failure.reason.rawValue)", "git": "\(failure.gitSays)",
                    ])
            }
            return result
        } catch {
            return .failure(error)
        }
    }

    private func lock(_ name: String) async {
        guard locked.contains(name) else {
            locked.insert(name)
            return
        }
        waiting += 1
        await withCheckedContinuation { lockWaiters[name, default: []].append($0) }
        waiting -= 1
    }

    /// Hands the lock to who waits longest.
    private func unlock(_ name: String) {
        guard var waiters = lockWaiters[name], !waiters.isEmpty else {
            lockWaiters[name] = nil
            locked.remove(name)
            return
        }
        let next = waiters.removeFirst()
        lockWaiters[name] = waiters
        next.resume()
    }

    private func connected(
        _ body: @Sendable () async -> Result<GitProcess.Outcome, RepositoryFailure>
    ) async -> Result<GitProcess.Outcome, RepositoryFailure> {
        if connections >= configuration.connectionsMax {
            await withCheckedContinuation { connectionWaiters.append($0) }
        } else {
            connections += 1
        }
        defer {
            if connectionWaiters.isEmpty { connections -= 1 } else { connectionWaiters.removeFirst().resume() }
        }
        return await body()
    }

    // MARK: Space

    /// Notes the use of a mirror and removes those that were not used for longest while all together are too large.
    private func account(_ name: String, _ path: String) {
        guard DirectoryTree.exists(path) else {
            known[name] = nil
            return
        }
        DirectoryTree.touch(path)
        uses += 1
        known[name] = Known(bytes: DirectoryTree.bytes(path), used: uses)
        var total = known.values.reduce(0) { $0 + $1.bytes }
        for (other, entry) in known.sorted(by: { $0.value.used < $1.value.used }) {
            guard total > configuration.bytesMax else { return }
            guard !locked.contains(other) else { continue }
            DirectoryTree.remove("\(mirrors)/\(other)")
            known[other] = nil
            total -= entry.bytes
            logger.info("removed a mirror to make room", metadata: ["bytes": "\(entry.bytes)"])
        }
    }

    /// Bytes of all mirrors, as far as they were used or found at the start.
    package var bytes: Int64 { known.values.reduce(0) { $0 + $1.bytes } }

    /// The directory's name: a hash of the address and the credential.
    private static func name(of source: RepositorySource) -> String {
        var hash = SHA256()
        func add(_ text: String) {
            hash.update(data: Array("\(text.utf8.count):".utf8))
            hash.update(data: Array(text.utf8))
        }
        add(source.url)
        switch source.credential {
        case .none: add("none")
        case .token(let user, let token): for text in ["token", user, token] { add(text) }
        case .sshKey(let key, _): for text in ["ssh", key] { add(text) }
        }
        return hash.finalize().prefix(20).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
