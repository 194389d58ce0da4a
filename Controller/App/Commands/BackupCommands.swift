import ArgumentParser
import ControllerCore
import ControllerMaintenance
import ControllerStore
import Glibc
import Logging

enum OperatorLogging {
    static func quiet() { LoggingSystem.bootstrap { JSONLogHandler(label: $0, logLevel: .warning) } }
}

struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Make a backup of database, logs and artifacts, while the controller runs or not.",
        discussion: """
            Each backup is a directory of its own in DIRECTORY, whole or not there at all. Files that never change are linked where \
            the disk is the same, and taken over from the newest backup beside. A running controller makes it itself and goes on.

            The keys (of the agents' authority and of the secrets) are taken only sealed under a passphrase; without them a restored \
            controller has no agents and can't open its secrets.

            EXAMPLES
              ansflow-controller backup --data-dir /var/lib/ansflow /backup --passphrase-file /etc/ansflow/passphrase
              ansflow-controller backup --data-dir /var/lib/ansflow /backup --without-keys
            """)

    @OptionGroup var place: DataDirectoryOption
    @OptionGroup var secret: PassphraseOption
    @Flag(help: "Leave the keys out.")
    var withoutKeys = false
    @Argument(help: "Directory that holds backups; made where it is missing.")
    var directory: String

    func run() async throws {
        try await CommandEnd.run {
            let passphrase = withoutKeys ? nil : try secret.passphrase()
            guard withoutKeys || passphrase != nil else {
                throw BackupRefusal("Give --passphrase-file for the keys, or --without-keys to leave them out.")
            }
            try CommandEnd.show(
                try await DataDirectory.ask(
                    .backup(directory: absolute(directory), passphrase: passphrase), in: place.dataDir))
        }
    }

    /// The controller has another working directory.
    private func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/"), let here = getcwd(nil, 0) else { return path }
        defer { free(here) }
        return String(cString: here) + "/" + path
    }
}

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Look whether a backup is whole: hashes, database, logs, artifacts, secrets.",
        discussion: """
            Exits 1 where anything is wrong, and names all of it.

            EXAMPLES
              ansflow-controller verify /backup/ansflow-20260131T120000Z --passphrase-file /etc/ansflow/passphrase
            """)

    @OptionGroup var secret: PassphraseOption
    @Argument(help: "The backup's own directory.")
    var directory: String

    func run() async throws {
        try await CommandEnd.run {
            let findings = try BackupVerifier(BackupInspector()).verify(directory, passphrase: try secret.passphrase())
            for note in findings.notes { print("note: \(note)") }
            for fault in findings.faults { StandardError.say("wrong: \(fault)") }
            print(
                "\(findings.files) files, \(findings.runs) runs, \(findings.logs) logs, \(findings.artifacts) artifact "
                    + "contents, \(findings.secrets) secrets: \(findings.faults.isEmpty ? "whole" : "damaged")")
            if !findings.faults.isEmpty { throw ExitCode.failure }
        }
    }
}

struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Put a backup into a new data directory.",
        discussion: """
            The restored controller is a new generation: all numbers jump ahead, logins and enrolment tokens end, and runs that had not \
            ended at the backup's time are cancelled at the first start, since they may have ended since. What agents did behind the \
            backup is shown as orphans and stopped, never run again.

            EXAMPLES
              ansflow-controller restore /backup/ansflow-20260131T120000Z --data-dir /var/lib/ansflow-new --passphrase-file F
              ansflow-controller restore /backup/ansflow-20260131T120000Z --data-dir /var/lib/ansflow-new --without-keys
            """)

    @OptionGroup var place: DataDirectoryOption
    @OptionGroup var secret: PassphraseOption
    @Flag(help: "Put no keys back: put ca.key, ca.crt and secrets.key there yourself before the first start.")
    var withoutKeys = false
    @Argument(help: "The backup's own directory.")
    var directory: String

    func run() async throws {
        try await CommandEnd.run {
            let passphrase = withoutKeys ? nil : try secret.passphrase()
            guard withoutKeys || passphrase != nil else {
                throw BackupRefusal(
                    "Give --passphrase-file to put the keys back, or --without-keys to put them back yourself.")
            }
            let (manifest, keys) = try BackupRestorer.restore(directory, to: place.dataDir, passphrase: passphrase)
            guard withoutKeys || manifest.hasKeys else {
                print("The backup has no keys. Put ca.key, ca.crt and secrets.key there before the first start.")
                return try await open(manifest, keys: keys)
            }
            try await open(manifest, keys: keys)
        }
    }

    private func open(_ manifest: BackupManifest, keys: [String]) async throws {
        let database = try Database.open(directory: place.dataDir, logger: Logger(label: "ansflow.restore"))
        defer { try? database.close() }
        let restored = try await database.openGeneration(backupAt: manifest.createdAt)
        print("restored to \(place.dataDir): the backup of \(Timestamp.text(manifest.createdAt))")
        print("generation \(restored.generation); keys: \(keys.isEmpty ? "none" : keys.joined(separator: ", "))")
        print("API keys and passwords are those of that time: look through them for what was withdrawn since.")
    }
}
