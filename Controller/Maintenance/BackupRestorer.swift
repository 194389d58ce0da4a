import ControllerCore
import Glibc

/// Puts a backup into a new data directory. Methods block.
package enum BackupRestorer {
    /// Copies everything, hash by hash. What has to happen in the database is the caller's.
    ///
    /// - Parameters:
    ///   - target: Must be missing or empty.
    ///   - passphrase: Opens the keys; `nil` leaves them out.
    /// - Returns: The manifest and which key files were put back.
    /// - Throws: ``BackupRefusal``; then nothing is left in `target`.
    package static func restore(
        _ directory: String, to target: String, passphrase: String?
    ) throws -> (manifest: BackupManifest, keys: [String]) {
        let manifest = try BackupManifest.read(directory)
        let sums = try BackupSums(directory, manifest)
        var bundle = KeyBundle(files: [:])
        if manifest.hasKeys, let passphrase {
            bundle = try KeyBundle(
                sealed: try BackupFiles.read("\(directory)/\(BackupManifest.keys)", max: 1 << 24), passphrase)
        }
        guard BackupFiles.names(in: target).isEmpty else {
            throw BackupRefusal("\(target) is not empty. Name a directory that is new.")
        }
        let wasThere = BackupFiles.isDirectory(target)
        try BackupFiles.makeDirectories(target)
        guard chmod(target, 0o700) == 0 else { throw FileFailure("made private", target) }
        do {
            try fill(target, from: directory, sums)
            for (name, bytes) in bundle.files { try BackupFiles.write(Array(bytes), to: "\(target)/\(name)") }
            try BackupFiles.syncDirectory(target)
        } catch {
            for name in BackupFiles.names(in: target) {
                let path = "\(target)/\(name)"
                if BackupFiles.isDirectory(path) { BackupFiles.removeTree(path) } else { unlink(path) }
            }
            if !wasThere { rmdir(target) }
            throw error
        }
        return (manifest, bundle.files.keys.sorted())
    }

    private static func fill(_ target: String, from directory: String, _ sums: BackupSums) throws {
        var made: Set<String> = []
        for (name, hash) in sums.hashes.sorted(by: { $0.key < $1.key }) where name != BackupManifest.keys {
            let path = "\(target)/\(name)"
            if let parent = BackupFiles.parent(of: path), made.insert(parent).inserted {
                try BackupFiles.makeDirectories(parent)
            }
            // Copied, not linked: the restored controller goes on in these files.
            guard try BackupFiles.copy("\(directory)/\(name)", to: path).sha256 == hash else {
                throw BackupRefusal("\(name) of the backup is damaged. Use another backup.")
            }
        }
        for path in made.sorted(by: >) { try BackupFiles.syncDirectory(path) }
    }
}
