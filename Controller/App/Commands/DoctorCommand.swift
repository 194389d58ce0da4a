import ArgumentParser
import ControllerCore
import ControllerMaintenance
import ControllerStore
import Glibc

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Look whether the data directory, its disk, keys, backups and this host are in order.",
        discussion: """
            Changes nothing. Exits 1 where something is wrong; warnings alone do not count.

            EXAMPLES
              ansflow-controller doctor --data-dir /var/lib/ansflow
              ansflow-controller doctor --data-dir /var/lib/ansflow --backup-dir /backup
            """)

    @OptionGroup var place: DataDirectoryOption
    @Option(help: "Directory of the scheduled backups, to look for the newest. Also ANSFLOW_CONTROLLER_BACKUP_DIR.")
    var backupDir: String?

    func run() async throws {
        try await CommandEnd.run {
            var doctor = Doctor(directory: place.dataDir)
            doctor.lookAtHost()
            doctor.lookAtDirectory()
            doctor.lookAtKeys()
            doctor.lookAtController()
            doctor.lookAtBackups(backupDir ?? Environment.text("ANSFLOW_CONTROLLER_BACKUP_DIR"))
            for finding in doctor.findings { print("\(finding.word.rawValue)\t\(finding.what)\t\(finding.text)") }
            if doctor.findings.contains(where: { $0.word == .wrong }) { throw ExitCode.failure }
        }
    }
}

/// Looks at a data directory from outside.
struct Doctor {
    enum Word: String { case good = "ok", warning, wrong }

    struct Finding {
        var word: Word
        var what: String
        var text: String
    }

    let directory: String
    private(set) var findings: [Finding] = []

    init(directory: String) { self.directory = directory }

    private mutating func note(_ word: Word, _ what: String, _ text: String) {
        findings.append(Finding(word: word, what: what, text: text))
    }

    mutating func lookAtHost() {
        if let version = try? Database.sqliteVersion() {
            let parts = version.split(separator: ".").compactMap { Int($0) }
            let isNew = parts.count == 3 && (parts[0], parts[1], parts[2]) >= (3, 40, 0)
            note(isNew ? .good : .warning, "sqlite", isNew ? version : "\(version) is older than 3.40.0")
        } else {
            note(.wrong, "sqlite", "the library can't be used")
        }
        // 2026-01-01: before that this program was not there.
        let now = Clocks.wall()
        note(
            now > 1_767_225_600_000 ? .good : .wrong, "clock",
            now > 1_767_225_600_000 ? Timestamp.text(now) : "\(Timestamp.text(now)) can't be right: set the clock")
    }

    mutating func lookAtDirectory() {
        guard let status = FileFacts(directory) else {
            return note(.wrong, "data directory", "\(directory) is not there")
        }
        if status.isOpenToOthers {
            note(.wrong, "data directory", "others may look into it: chmod 700 '\(directory)'")
        } else if status.owner != geteuid() {
            note(.warning, "data directory", "it belongs to user \(status.owner), this is user \(geteuid())")
        } else {
            note(.good, "data directory", directory)
        }
        if let free = Disk(directory: directory, floorBytes: 0).freeBytes {
            let mib = free / (1024 * 1024)
            note(mib < 256 ? .wrong : mib < 2048 ? .warning : .good, "disk", "\(mib) MiB free")
        }
        for name in ["ansflow.db", "ansflow.db-wal"] {
            guard let status = FileFacts("\(directory)/\(name)") else { continue }
            if status.isOpenToOthers { note(.wrong, name, "others may read it: chmod 600 '\(directory)/\(name)'") }
        }
        if !Disk.exists("\(directory)/ansflow.db") { note(.warning, "database", "none yet: the first start makes it") }
    }

    mutating func lookAtKeys() {
        for name in ["ca.key", "secrets.key", "signing.key"] {
            guard let status = FileFacts("\(directory)/\(name)") else {
                if Disk.exists("\(directory)/ansflow.db") {
                    note(.wrong, name, "it is missing; a start makes a new one, which does not know the old things")
                }
                continue
            }
            if status.isOpenToOthers {
                note(.wrong, name, "others may read it: chmod 600 '\(directory)/\(name)'")
            } else {
                note(.good, name, "only its owner may read it")
            }
        }
        if Disk.exists("\(directory)/secrets.key.next") {
            note(.warning, "secrets.key.next", "a rotation was cut off; the controller finishes it when it starts")
        }
    }

    mutating func lookAtController() {
        do {
            if try ControlClient.ask(.ping, dataDirectory: directory) != nil {
                note(.good, "controller", "it runs and answers")
            } else if let holder = lockHolder() {
                note(.wrong, "controller", "process \(holder) holds the data directory and does not answer")
            } else {
                note(.warning, "controller", "none runs in this data directory")
            }
        } catch {
            note(.wrong, "controller", "\(error)")
        }
    }

    private func lockHolder() -> String? {
        let descriptor = open("\(directory)/lock", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_SH | LOCK_NB) != 0 else { return nil }
        return SmallFile.read("\(directory)/lock")?.split(separator: "\n").first.map(String.init) ?? "unknown"
    }

    mutating func lookAtBackups(_ place: String?) {
        guard let place else { return note(.warning, "backups", "no --backup-dir was given: not looked at") }
        guard let newest = Backups.list(place).first else {
            return note(.wrong, "backups", "there is none in \(place)")
        }
        let days = (Clocks.wall() - newest.createdAt) / RetentionPolicy.dayMs
        note(
            days > 2 ? .wrong : newest.hasKeys ? .good : .warning, "backups",
            "the newest, \(newest.name), is \(days) days old\(newest.hasKeys ? "" : " and has no keys")")
    }
}
