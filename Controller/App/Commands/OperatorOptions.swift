import ArgumentParser
import ControllerCore
import ControllerMaintenance
import Glibc

/// Which data directory a command is about.
struct DataDirectoryOption: ParsableArguments {
    @Option(help: "The controller's data directory. Also ANSFLOW_CONTROLLER_DATA_DIR.")
    var dataDir: String = Environment.text("ANSFLOW_CONTROLLER_DATA_DIR") ?? ""

    func validate() throws {
        guard !dataDir.isEmpty else { throw ValidationError("Name the data directory with --data-dir.") }
    }
}

enum Environment {
    /// `nil` where it is not set or empty.
    static func text(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        let text = String(cString: value)
        return text.isEmpty ? nil : text
    }
}

/// Where a passphrase comes from: never an argument, which others can read.
struct PassphraseOption: ParsableArguments {
    @Option(help: "A file whose first line is the passphrase of the backup's keys. Also ANSFLOW_BACKUP_PASSPHRASE.")
    var passphraseFile: String?

    func passphrase() throws -> String? {
        if let passphraseFile { return try Self.read(passphraseFile) }
        return Environment.text("ANSFLOW_BACKUP_PASSPHRASE")
    }

    static func read(_ path: String) throws -> String {
        guard let line = SmallFile.read(path)?.split(separator: "\n", omittingEmptySubsequences: false).first,
            line.utf8.count >= 12
        else {
            throw BackupRefusal("\(path) can't be read, or its first line has less than 12 bytes: no passphrase.")
        }
        return String(line)
    }
}

enum SmallFile {
    /// At most 1 MiB of UTF-8; `nil` where it can't be read.
    static func read(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while bytes.count <= 1 << 20 {
            let count = Glibc.read(descriptor, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { return String(validating: bytes, as: UTF8.self) }
            bytes += piece[..<count]
        }
        return nil
    }
}

/// Ends a command with what went wrong, and its code.
enum CommandEnd {
    static func run(_ body: () async throws -> Void) async throws {
        // Only what goes wrong is worth a line here.
        OperatorLogging.quiet()
        do {
            try await body()
        } catch let code as ExitCode {
            throw code
        } catch {
            StandardError.say("ansflow-controller: \(error)")
            throw ExitCode.failure
        }
    }

    /// Prints an answer; a bad one ends with code 1.
    static func show(_ answer: ControlAnswer) throws {
        for line in answer.lines {
            if answer.ok { print(line) } else { StandardError.say("ansflow-controller: \(line)") }
        }
        guard answer.ok else { throw ExitCode.failure }
    }
}
