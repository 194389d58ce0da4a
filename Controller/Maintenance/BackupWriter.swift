import AnsFlowProtocol
package import ControllerCore
import Glibc
package import Logging
import NIOPosix

/// Makes one backup: the database as it is at one moment, then all files that it names, which only grow.
///
/// Files that never change are linked where the disk is the same, or taken over from the newest backup beside; the rest is copied.
package struct BackupWriter: Sendable {
    private let dataDirectory: String
    private let version: String
    private let database: any DatabaseBackup
    private let logs: any LogBackup
    private let artifacts: any ArtifactBackup
    private let now: @Sendable () -> Int64
    private let logger: Logger
    private let pool = NIOThreadPool.singleton

    package init(
        dataDirectory: String, version: String, database: any DatabaseBackup, logs: any LogBackup,
        artifacts: any ArtifactBackup, now: @escaping @Sendable () -> Int64, logger: Logger
    ) {
        self.dataDirectory = dataDirectory
        self.version = version
        self.database = database
        self.logs = logs
        self.artifacts = artifacts
        self.now = now
        self.logger = logger
    }

    /// - Parameters:
    ///   - parent: Holds backups; each is a directory of its own in it.
    ///   - passphrase: Seals the keys; without one they are left out.
    package func write(into parent: String, passphrase: String?) async throws -> BackupSummary {
        let createdAt = now()
        let (name, partial) = try await blocking { try Self.prepare(parent, createdAt) }
        do {
            let manifest = try await fill(partial, parent: parent, createdAt: createdAt, passphrase: passphrase)
            try await blocking {
                guard rename(partial, "\(parent)/\(name)") == 0 else { throw FileFailure("named", partial) }
                try BackupFiles.syncDirectory(parent)
            }
            return manifest.summary(name)
        } catch {
            try? await blocking { BackupFiles.removeTree(partial) }
            throw error
        }
    }

    private func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await pool.runIfActive(body)
    }

    /// Removes what earlier tries left, and makes the directory of this one.
    private static func prepare(_ parent: String, _ createdAt: Int64) throws -> (name: String, partial: String) {
        try BackupFiles.makeDirectories(parent)
        for name in BackupFiles.names(in: parent) where name.hasPrefix(".partial-") {
            BackupFiles.removeTree("\(parent)/\(name)")
        }
        let time = Timestamp.text(createdAt).prefix(19).filter { $0 != "-" && $0 != ":" }
        var name = "ansflow-\(time)Z"
        var number = 2
        while BackupFiles.exists("\(parent)/\(name)") {
            name = "ansflow-\(time)Z-\(number)"
            number += 1
        }
        let partial = "\(parent)/.partial-\(name)"
        guard mkdir(partial, 0o700) == 0 else { throw FileFailure("made", partial) }
        return (name, partial)
    }

    private func fill(
        _ directory: String, parent: String, createdAt: Int64, passphrase: String?
    ) async throws -> BackupManifest {
        let path = "\(directory)/\(BackupManifest.database)"
        let cut = try await database.copy(to: path)
        let earlier = try await blocking {
            EarlierBackup(in: parent, instance: cut.instance, generation: cut.generation)
        }
        var filling = Filling(directory: directory, earlier: earlier)
        filling = try await blocking { [filling] in
            var filling = filling
            try BackupFiles.sync(path)
            filling.note(BackupManifest.database, try BackupFiles.digest(path))
            return filling
        }
        for attempt in try await logs.storedAttempts() {
            filling = try await add(attempt, to: filling)
        }
        for source in try await artifacts.backupSources() {
            filling = try await add(source, below: BackupManifest.artifacts, to: filling)
        }
        let dataDirectory = self.dataDirectory
        let manifest = BackupManifest(
            format: BackupManifest.format, version: version, createdAt: createdAt, instance: cut.instance,
            generation: cut.generation, schema: cut.schema, hasKeys: passphrase != nil, files: 0, bytes: 0,
            sumsSHA256: "")
        return try await blocking { [filling] in
            var filling = filling
            if let passphrase {
                let sealed = try KeyBundle(dataDirectory: dataDirectory).sealed(passphrase)
                try BackupFiles.write(sealed, to: "\(directory)/\(BackupManifest.keys)")
                filling.note(
                    BackupManifest.keys, try BackupFiles.digest("\(directory)/\(BackupManifest.keys)"))
            }
            return try filling.finish(manifest)
        }
    }

    private func add(_ attempt: AttemptID, to filling: Filling) async throws -> Filling {
        // A log that is closed between two looks, or between a look and the copy, has another file.
        for _ in 0..<3 {
            guard let source = try await logs.backupSource(attempt) else { continue }
            do {
                return try await add(source, below: BackupManifest.logs, to: filling)
            } catch  where !BackupFiles.exists(source.path) {
                continue
            }
        }
        return filling
    }

    private func add(_ source: BackupSource, below part: String, to filling: Filling) async throws -> Filling {
        try await blocking {
            var filling = filling
            try filling.add(source, below: part)
            return filling
        }
    }
}

/// The newest whole backup of the same data beside a new one.
struct EarlierBackup: Sendable {
    var directory: String
    var sums: [String: String]

    init?(in parent: String, instance: String, generation: Int64) {
        for name in BackupFiles.names(in: parent).reversed() where !name.hasPrefix(".") {
            let directory = "\(parent)/\(name)"
            guard let manifest = try? BackupManifest.read(directory), manifest.instance == instance,
                manifest.generation == generation, let sums = try? BackupSums(directory, manifest)
            else { continue }
            self.directory = directory
            self.sums = sums.hashes
            return
        }
        return nil
    }
}

/// A backup that is being filled. Its methods block.
private struct Filling: Sendable {
    let directory: String
    let earlier: EarlierBackup?
    private var sums: [String: String] = [:]
    private var bytes: UInt64 = 0
    private var made: Set<String> = []

    init(directory: String, earlier: EarlierBackup?) {
        self.directory = directory
        self.earlier = earlier
    }

    mutating func note(_ name: String, _ digest: (sha256: String, bytes: UInt64)) {
        sums[name] = digest.sha256
        bytes += digest.bytes
    }

    mutating func add(_ source: BackupSource, below part: String) throws {
        let name = "\(part)/\(source.name)"
        let target = "\(directory)/\(name)"
        if let parent = BackupFiles.parent(of: target), made.insert(parent).inserted {
            try BackupFiles.makeDirectories(parent)
        }
        guard source.isFinal else {
            note(name, try BackupFiles.copy(source.path, to: target, bytes: source.bytes))
            return
        }
        // Taken over from the backup before: neither read nor copied again.
        if let earlier, let hash = earlier.sums[name], BackupFiles.size("\(earlier.directory)/\(name)") == source.bytes,
            link("\(earlier.directory)/\(name)", target) == 0
        {
            note(name, (hash, source.bytes))
            return
        }
        if link(source.path, target) == 0 {
            if let hash = source.sha256 {
                note(name, (hash, source.bytes))
            } else {
                note(name, try BackupFiles.digest(target))
            }
            return
        }
        note(name, try BackupFiles.copy(source.path, to: target))
    }

    /// Writes hashes and manifest, and makes all names durable.
    mutating func finish(_ given: BackupManifest) throws -> BackupManifest {
        var list = BackupSums()
        list.hashes = sums
        try BackupFiles.write(Array(list.text.utf8), to: "\(directory)/\(BackupManifest.sums)")
        var manifest = given
        manifest.files = sums.count
        manifest.bytes = bytes
        manifest.sumsSHA256 = try BackupFiles.digest("\(directory)/\(BackupManifest.sums)").sha256
        for path in made.sorted(by: >) { try BackupFiles.syncDirectory(path) }
        try BackupFiles.write(try manifest.encoded(), to: "\(directory)/\(BackupManifest.file)")
        try BackupFiles.syncDirectory(directory)
        return manifest
    }
}
