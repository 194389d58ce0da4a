import AnsFlowProtocol
import ControllerCore
import ControllerIdentity
import ControllerMaintenance
import ControllerStore

/// Answers what commands on this host ask, in the process that holds the data directory.
struct OperatorRequests: ControlHandling {
    let database: Database
    let users: UserAdministration
    let vault: SecretVault
    let backups: Backups
    let retention: Retention
    let rotations = OneAtATime()

    func handle(_ request: ControlRequest) async throws -> ControlAnswer {
        switch request {
        case .ping: return ControlAnswer(["The controller runs."])
        case .backup(let directory, let passphrase):
            let made = try await backups.make(into: directory, passphrase: passphrase)
            var lines = ["backup \(directory)/\(made.name): \(made.files) files, \(made.bytes) bytes"]
            if !made.hasKeys {
                lines.append("It has no keys. Keep ca.key, ca.crt and secrets.key of the data directory elsewhere.")
            }
            return ControlAnswer(lines)
        case .retention(let dryRun):
            return ControlAnswer(RetentionText.lines(try await retention.apply(dryRun: dryRun)))
        case .users:
            return ControlAnswer(
                try await database.userRows().map { user in
                    let words = [user.isAdministrator ? "administrator" : nil, user.disabled ? "disabled" : nil]
                    return ([user.id.description, user.name] + words.compactMap { $0 }).joined(separator: "\t")
                })
        case .createUser(let name, let isAdministrator, let password):
            let made = try await users.create(name, isAdministrator: isAdministrator, password: password)
            return ControlAnswer(["user \(name) made"] + (made.map { ["password: \($0)"] } ?? []))
        case .resetPassword(let name, let password):
            let made = try await users.resetPassword(of: name, password: password)
            return ControlAnswer(
                ["password of \(name) changed, its logins are ended"] + (made.map { ["password: \($0)"] } ?? []))
        case .rotateKey:
            let rotation = try await rotations.run { try await vault.rotateKey() }
            var lines = ["new key \(rotation.keyID): \(rotation.resealed) secrets sealed anew"]
            if rotation.unreadable > 0 {
                lines.append(
                    "\(rotation.unreadable) secrets could not be opened before and can't now. Set them again.")
            }
            lines.append("Make a backup now: older ones open with the key of their own time only.")
            return ControlAnswer(lines)
        }
    }
}

/// Refuses a second call while one goes on.
actor OneAtATime {
    private var isBusy = false

    func run<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value {
        guard !isBusy else { throw BackupRefusal("This is being done at the moment. Try again when it is done.") }
        isBusy = true
        defer { isBusy = false }
        return try await body()
    }
}

enum RetentionText {
    static func lines(_ report: RetentionReport) -> [String] {
        let verb = report.dryRun ? "would go" : "went"
        var lines: [String] = []
        for (what, part) in [("runs", report.runs), ("logs", report.logs), ("artifacts", report.artifacts)] {
            lines.append("\(what): \(part.count) \(verb), \(part.bytes) bytes")
            for item in part.items {
                lines.append(
                    "  run \(item.run)\t\(item.pipelineName) #\(item.number)\tended \(Timestamp.text(item.finishedAt))\t"
                        + "\(item.reason.rawValue)\t\(item.bytes) bytes")
            }
            if part.count > part.items.count { lines.append("  and \(part.count - part.items.count) more") }
        }
        return lines
    }
}
