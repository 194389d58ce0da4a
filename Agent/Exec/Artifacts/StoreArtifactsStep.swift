package import AgentCore
package import AnsFlowProtocol
import Crypto
import Glibc
import Synchronization

/// The built-in step that keeps files of the workspace and test reports.
///
/// It runs under a shim like any step: its words are the step's log, and it outlives the agent.
package struct StoreArtifactsStep: Sendable {
    private static let pieceBytes = 256 * 1024
    private static let connections = 4
    /// Files that are shown one by one.
    private static let shownMax = 200
    /// How often a file may change under the step's hands.
    private static let triesMax = 3

    /// A file to be sent.
    private struct Item: Sendable {
        var path: String
        var size: UInt64
        var sha256: String
        var isExecutable: Bool
        var keepMs: UInt64?
        /// Set for reports: the step that wrote it.
        var report: String?
    }

    private let spec: StepSpec.StoreArtifacts
    private let tree: SafeTree
    private let session: ArtifactSession
    private let say: @Sendable (String) -> Void

    init(
        _ spec: StepSpec.StoreArtifacts, directory: String, transport: any ArtifactTransport,
        waits: ArtifactSession.Waits = .init(), say: @escaping @Sendable (String) -> Void
    ) {
        self.spec = spec
        tree = SafeTree(root: directory)
        session = ArtifactSession(transport: transport, waits: waits, say: say)
        self.say = say
    }

    /// The step as its shim runs it: specification and directories come by the environment.
    ///
    /// - Parameters:
    ///   - directory: The workspace; absolute.
    ///   - transport: Makes the way to the controller from the agent's data directory and the attempt.
    /// - Returns: The process's exit code.
    package static func run(
        host: [String: String], directory: String, transport: (String, AttemptID) -> any ArtifactTransport
    ) async -> Int32 {
        await ArtifactStep.run("store-artifacts", host) { spec, data, attempt, say in
            guard case .storeArtifacts(let store) = spec.action else { throw ArtifactStep.notAStep }
            try await StoreArtifactsStep(store, directory: directory, transport: transport(data, attempt), say: say)
                .run()
        }
    }

    func run() async throws {
        var (items, left) = try collect()
        guard !items.isEmpty else { return say("Nothing is to be kept.") }
        show(items)
        if left.links > 0 { say("Left out: \(left.links) symbolic links, which are not followed.") }
        if left.others > 0 { say("Left out: \(left.others) that are no regular files.") }
        var tries = 0
        while true {
            tries += 1
            do {
                try await send(items)
                let manifest = Self.manifest(items)
                let receipt = try await session.run { try await $0.publish(manifest) }
                for note in receipt.notes { say(note) }
                break
            } catch let fault as ArtifactFault where tries < Self.triesMax && [.changed, .incomplete].contains(fault) {
                // Files that changed have another digest now; content that the controller lost is sent again.
                (items, left) = try collect()
            }
        }
        let files = items.filter { $0.report == nil }
        say("Kept \(files.count) files, \(ByteText.of(files.reduce(0) { $0 + $1.size })).")
    }

    // MARK: Files

    private func collect() throws -> ([Item], SafeTree.Walk) {
        var items: [Item] = []
        var total = SafeTree.Walk()
        var known: Set<String> = []
        for rule in spec.rules {
            let walk = try tree.walk(PathGlobs(rule.paths), limit: ArtifactLimits.filesMax)
            total.links += walk.links
            total.others += walk.others
            guard !walk.files.isEmpty || rule.optional else {
                let globs = rule.paths.map { "\"\($0)\"" }.joined(separator: ", ")
                throw ArtifactStepFailure("Nothing matches \(globs). Say `optional: true` where that is fine.")
            }
            for file in walk.files where known.insert(file.path).inserted {
                items.append(try item(file, keepMs: rule.keepMs))
            }
        }
        guard items.count <= ArtifactLimits.filesMax else {
            throw ArtifactStepFailure(
                "\(items.count) files match, and a job keeps at most \(ArtifactLimits.filesMax). Keep an archive of them."
            )
        }
        try collectReports(&items)
        return (items, total)
    }

    private func collectReports(_ items: inout [Item]) throws {
        var count = 0
        for report in spec.reports {
            let walk = try tree.walk(PathGlobs(report.paths), limit: ArtifactLimits.reportsMax)
            if walk.files.isEmpty {
                say("No report of \(report.step) matches \(report.paths.map { "\"\($0)\"" }.joined(separator: ", ")).")
            }
            for file in walk.files {
                count += 1
                guard count <= ArtifactLimits.reportsMax else {
                    throw ArtifactStepFailure(
                        "A job has at most \(ArtifactLimits.reportsMax) report files; more match.")
                }
                var item = try item(file, keepMs: nil)
                guard item.size <= ArtifactLimits.reportBytesMax else {
                    say("Left out: the report \(file.path) has \(ByteText.of(item.size)), more than is read.")
                    continue
                }
                item.report = report.step
                items.append(item)
            }
        }
    }

    private func item(_ file: SafeTree.Found, keepMs: UInt64?) throws -> Item {
        let (descriptor, _) = try tree.openFile(file.path)
        defer { close(descriptor) }
        var hasher = SHA256()
        var size: UInt64 = 0
        while case let piece = try Self.read(descriptor, file.path), !piece.isEmpty {
            hasher.update(data: piece)
            size += UInt64(piece.count)
        }
        guard size <= ArtifactLimits.fileBytesMax else {
            throw ArtifactStepFailure("\(file.path) has \(ByteText.of(size)), more than a file may have.")
        }
        return Item(
            path: file.path, size: size, sha256: Digests.hex(hasher.finalize()), isExecutable: file.isExecutable,
            keepMs: keepMs)
    }

    private static func read(_ descriptor: Int32, _ path: String) throws(ArtifactStepFailure) -> [UInt8] {
        var failed: Int32 = 0
        let piece = [UInt8](unsafeUninitializedCapacity: pieceBytes) { buffer, count in
            var got = -1
            repeat { got = Glibc.read(descriptor, buffer.baseAddress, buffer.count) } while got < 0 && errno == EINTR
            if got < 0 { failed = errno }
            count = max(0, got)
        }
        guard failed == 0 else { throw ArtifactStepFailure(FileFailure("Can't read", path, failed).description) }
        return piece
    }

    private func show(_ items: [Item]) {
        for item in items.prefix(Self.shownMax) {
            say("  \(item.path) (\(ByteText.of(item.size)))\(item.report == nil ? "" : ", test report")")
        }
        if items.count > Self.shownMax { say("  and \(items.count - Self.shownMax) more") }
    }

    // MARK: Sending

    /// Sends what the controller does not have, each content once.
    private func send(_ items: [Item]) async throws {
        var known: Set<String> = []
        let unique = items.filter { known.insert($0.sha256).inserted }
        let tree = tree
        try await session.each(unique, width: Self.connections) { link, item, progress in
            var offset = try await link.missing(item.sha256, size: item.size)
            while let from = offset {
                progress.reached(from, of: item.sha256)
                let (descriptor, size) = try tree.openFile(item.path)
                defer { close(descriptor) }
                guard size == item.size else { throw ArtifactFault.changed }
                lseek(descriptor, off_t(from), SEEK_SET)
                do {
                    var left = item.size - from
                    try await link.send(item.sha256, size: item.size, offset: from) {
                        guard left > 0 else { return nil }
                        let piece = try Self.read(descriptor, item.path).prefix(Int(clamping: left))
                        guard !piece.isEmpty else { throw ArtifactFault.changed }
                        left -= UInt64(piece.count)
                        return Array(piece)
                    }
                    offset = nil
                } catch ArtifactFault.offset(let next) where next != from && next <= item.size {
                    offset = next
                }
            }
        }
    }

    private static func manifest(_ items: [Item]) -> ArtifactManifest {
        ArtifactManifest(
            files: items.filter { $0.report == nil }.map {
                .init(path: $0.path, size: $0.size, sha256: $0.sha256, executable: $0.isExecutable, keepMs: $0.keepMs)
            },
            reports: items.compactMap { item in
                item.report.map { .init(step: $0, path: item.path, size: item.size, sha256: item.sha256) }
            })
    }
}
