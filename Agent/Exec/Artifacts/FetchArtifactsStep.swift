package import AgentCore
package import AnsFlowProtocol
import Crypto
import Glibc

/// The built-in step that puts files which earlier jobs kept into the workspace.
///
/// It runs under a shim like any step: its words are the step's log, and it outlives the agent.
package struct FetchArtifactsStep: Sendable {
    private static let connections = 4
    private static let shownMax = 200

    /// A file to be fetched. Used by one worker at a time.
    private final class Item: @unchecked Sendable {
        /// Below the workspace.
        let path: String
        let file: ArtifactManifest.File
        let temporary: String
        /// What has come so far, where a connection broke.
        var descriptor: Int32 = -1
        var hasher = SHA256()
        var length: UInt64 = 0

        init(path: String, file: ArtifactManifest.File, temporary: String) {
            self.path = path
            self.file = file
            self.temporary = temporary
        }

        deinit { if descriptor >= 0 { close(descriptor) } }
    }

    private let spec: StepSpec.FetchArtifacts
    private let tree: SafeTree
    private let session: ArtifactSession
    private let say: @Sendable (String) -> Void

    init(
        _ spec: StepSpec.FetchArtifacts, directory: String, transport: any ArtifactTransport,
        waits: ArtifactSession.Waits = .init(), say: @escaping @Sendable (String) -> Void
    ) {
        self.spec = spec
        tree = SafeTree(root: directory)
        session = ArtifactSession(transport: transport, waits: waits, say: say)
        self.say = say
    }

    /// The step as its shim runs it; see ``StoreArtifactsStep/run(host:directory:transport:)``.
    package static func run(
        host: [String: String], directory: String, transport: (String, AttemptID) -> any ArtifactTransport
    ) async -> Int32 {
        await ArtifactStep.run("fetch-artifacts", host) { spec, data, attempt, say in
            guard case .fetchArtifacts(let fetch) = spec.action else { throw ArtifactStep.notAStep }
            try await FetchArtifactsStep(fetch, directory: directory, transport: transport(data, attempt), say: say)
                .run()
        }
    }

    func run() async throws {
        var items: [Item] = []
        for source in spec.sources { items += try await list(source, from: items.count) }
        for item in items.prefix(Self.shownMax) { say("  \(item.path) (\(ByteText.of(item.file.size)))") }
        if items.count > Self.shownMax { say("  and \(items.count - Self.shownMax) more") }
        let tree = tree
        try await session.each(items, width: Self.connections) { link, item, progress in
            defer { progress.reached(item.length, of: item.temporary) }
            try await Self.fetch(item, link, tree)
        }
        say("Fetched \(items.count) files, \(ByteText.of(items.reduce(0) { $0 + $1.file.size })).")
    }

    private func list(_ source: StepSpec.FetchArtifacts.Source, from first: Int) async throws -> [Item] {
        let globs = PathGlobs(source.paths)
        var folder = source.into
        while folder.hasPrefix("./") { folder.removeFirst(2) }
        while folder.hasSuffix("/") { folder.removeLast() }
        if folder == "." { folder = "" }
        guard folder.isEmpty || ArtifactLimits.isPath(folder) else {
            throw ArtifactStepFailure("\"\(source.into.prefix(200))\" is not a folder below the workspace.")
        }
        var items: [Item] = []
        for job in source.jobs {
            let listing = try await session.run { try await $0.listing(job: job) }
            for file in listing.files where source.paths.isEmpty || globs.matches(file.path) {
                let path = folder.isEmpty ? file.path : "\(folder)/\(file.path)"
                guard ArtifactLimits.isPath(path), ArtifactLimits.isDigest(file.sha256) else {
                    throw ArtifactStepFailure("A file of \(job) has a path that leaves the workspace or is too long.")
                }
                items.append(Item(path: path, file: file, temporary: ".ansflow-fetch-\(first + items.count)"))
            }
        }
        guard !items.isEmpty else {
            let what = source.paths.isEmpty ? "nothing" : "nothing that matches \(source.paths.joined(separator: ", "))"
            throw ArtifactStepFailure("\(source.jobs.joined(separator: ", ")) kept \(what).")
        }
        return items
    }

    /// Fetches one file, from where a broken connection left it; the name appears when all of it is there and right.
    private static func fetch(_ item: Item, _ link: any ArtifactLink, _ tree: SafeTree) async throws {
        do {
            if item.descriptor < 0 {
                item.descriptor = try tree.makeFile(
                    beside: item.path, temporary: item.temporary, isExecutable: item.file.executable)
            }
            try await link.fetch(item.file.sha256, from: item.length) { piece in
                item.hasher.update(data: piece)
                item.length += UInt64(piece.count)
                let failed = Files.writeAll(item.descriptor, piece)
                guard failed == 0 else {
                    throw ArtifactStepFailure(FileFailure("Can't write", item.path, failed).description)
                }
            }
            guard item.length == item.file.size, Digests.hex(item.hasher.finalize()) == item.file.sha256 else {
                throw ArtifactStepFailure("\(item.path) came damaged: its SHA-256 is not the one that was kept.")
            }
            try tree.rename(item.temporary, to: item.path)
            close(item.descriptor)
            item.descriptor = -1
        } catch {
            if case ArtifactFault.away = error { throw error }
            // A connection that broke goes on later; everything else ends the step.
            guard error is ArtifactStepFailure || error is ArtifactFault else { throw error }
            tree.remove(item.temporary, beside: item.path)
            throw error
        }
    }
}
