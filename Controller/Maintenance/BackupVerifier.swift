import AnsFlowProtocol
package import ControllerCore

/// Looks whether a backup is whole and can be restored. Methods block.
package struct BackupVerifier: Sendable {
    /// What was found.
    package struct Findings: Equatable, Sendable {
        package var faults: [String] = []
        /// What can't be said, or is not there on purpose.
        package var notes: [String] = []
        package var files = 0
        package var runs = 0
        package var logs = 0
        package var artifacts = 0
        package var secrets = 0
    }

    private let inspecting: any BackupInspecting

    package init(_ inspecting: any BackupInspecting) {
        self.inspecting = inspecting
    }

    /// - Parameter passphrase: Opens the keys; without one the secrets can't be tried.
    /// - Throws: ``BackupRefusal`` where this is no backup.
    package func verify(_ directory: String, passphrase: String?) throws -> Findings {
        let manifest = try BackupManifest.read(directory)
        let sums = try BackupSums(directory, manifest)
        var findings = Findings()
        for (name, hash) in sums.hashes.sorted(by: { $0.key < $1.key }) {
            findings.files += 1
            guard let found = try? BackupFiles.digest("\(directory)/\(name)") else {
                findings.faults.append("\(name) is missing")
                continue
            }
            if found.sha256 != hash { findings.faults.append("\(name) is not what was written") }
            if name.hasPrefix(BackupManifest.artifacts), !name.hasSuffix("/\(hash)") {
                findings.faults.append("\(name) is not the content that its name says")
            }
        }
        let known = Set(sums.hashes.keys).union([BackupManifest.file, BackupManifest.sums])
        for name in BackupFiles.tree(directory) where !known.contains(name) {
            findings.notes.append("\(name) does not belong to the backup")
        }
        if sums.hashes.count != manifest.files { findings.faults.append("the manifest names another number of files") }
        let database = "\(directory)/\(BackupManifest.database)"
        let contents = try inspecting.contents(ofDatabase: database)
        findings.faults += contents.faults.map { "database: \($0)" }
        findings.faults += try inspecting.auditFaults(inDatabase: database).map { "audit log: \($0)" }
        findings.runs = contents.runs
        checkLogs(contents, directory, &findings)
        for (digest, size) in contents.artifacts.sorted(by: { $0.key < $1.key }) {
            findings.artifacts += 1
            let path = "\(directory)/\(BackupManifest.artifacts)/objects/\(digest.prefix(2))/\(digest)"
            if BackupFiles.size(path) != size { findings.faults.append("the artifact content \(digest) is missing") }
        }
        try checkKeys(contents, directory, manifest, passphrase, &findings)
        return findings
    }

    private func checkLogs(_ contents: BackupContents, _ directory: String, _ findings: inout Findings) {
        for log in contents.logs {
            findings.logs += 1
            do {
                let found = try inspecting.log(log.attempt, in: "\(directory)/\(BackupManifest.logs)")
                guard let found else {
                    findings.faults.append("the log of attempt \(log.attempt) is missing")
                    continue
                }
                if let bytes = log.bytes, found.bytes != bytes || log.sha256.map({ $0 != found.sha256 }) ?? false {
                    findings.faults.append("the log of attempt \(log.attempt) is not what the database says")
                }
            } catch {
                findings.faults.append("the log of attempt \(log.attempt) is damaged: \(error)")
            }
        }
    }

    private func checkKeys(
        _ contents: BackupContents, _ directory: String, _ manifest: BackupManifest, _ passphrase: String?,
        _ findings: inout Findings
    ) throws {
        findings.secrets = contents.secrets.count
        guard manifest.hasKeys else {
            findings.notes.append("the backup has no keys: keep ca.key, ca.crt and secrets.key elsewhere")
            return
        }
        guard let passphrase else {
            findings.notes.append("keys and secrets were not tried: give --passphrase-file")
            return
        }
        let bundle = try KeyBundle(
            sealed: try BackupFiles.read("\(directory)/\(BackupManifest.keys)", max: 1 << 24), passphrase)
        for name in KeyBundle.names where bundle.files[name] == nil {
            findings.notes.append("the sealed keys have no \(name)")
        }
        guard let key = bundle.files["secrets.key"] else { return }
        for name in inspecting.unreadableSecrets(contents.secrets, key: Array(key)) {
            findings.faults.append("the secret \(name) does not open with the backup's key")
        }
    }
}
