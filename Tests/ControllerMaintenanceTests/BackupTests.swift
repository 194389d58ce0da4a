import AnsFlowProtocol
import ControllerCore
import ControllerIdentity
import ControllerLogs
import ControllerStore
import Foundation
import Logging
import Testing

@testable import ControllerMaintenance

/// Looks into backups as the controller's own command does.
struct Inspector: BackupInspecting {
    func contents(ofDatabase path: String) throws -> BackupContents {
        try ControllerStore.Database.contents(ofCopy: path)
    }
    func log(_ attempt: AttemptID, in directory: String) throws -> (bytes: UInt64, sha256: String)? {
        try LogStore.check(attempt, in: directory)
    }
    func unreadableSecrets(_ secrets: [SecretRow], key: [UInt8]) -> [String] {
        SecretVault.unreadable(secrets, key: key)
    }
    func auditFaults(inDatabase path: String) throws -> [String] {
        try ControllerStore.Database.auditFaults(ofCopy: path)
    }
}

extension Bench {
    var backups: String { path + "-backups" }

    func writer(now: Int64 = Bench.now) -> BackupWriter {
        BackupWriter(
            dataDirectory: path, version: "test", database: database, logs: logs, artifacts: artifacts, now: { now },
            logger: Logger(label: "test"))
    }

    func vault() async throws -> SecretVault {
        try await SecretVault.open(
            directory: path, repository: database, clock: { Bench.now }, logger: Logger(label: "test"))
    }

    func endWithBackups() async {
        await end()
        for directory in [backups, path + "-new"] { try? FileManager.default.removeItem(atPath: directory) }
    }
}

@Suite struct BackupTests {
    private let passphrase = "correct horse battery"

    private func with(_ body: (Bench) async throws -> Void) async throws {
        let bench = try await Bench()
        do {
            try await body(bench)
        } catch {
            await bench.endWithBackups()
            throw error
        }
        await bench.endWithBackups()
    }

    @Test func aBackupIsWholeAndRestoresToANewGeneration() async throws {
        try await with { bench in
            _ = try await bench.add(age: 3, log: "short\n", content: "artifact")
            _ = try await bench.add(age: 2, log: String(repeating: "long line of output\n", count: 20_000))
            let live = try await bench.add(age: 1, log: "goes on\n", finished: false)
            let vault = try await bench.vault()
            _ = try await vault.set(
                "TOKEN", value: "hunter2", project: .main, environment: "", mode: .create, by: "admin")
            let made = try await bench.writer().write(into: bench.backups, passphrase: passphrase)
            #expect(made.hasKeys && made.files == 6)
            // What comes behind the cut is not in it.
            _ = try await bench.add(age: 0)
            let directory = "\(bench.backups)/\(made.name)"
            let findings = try BackupVerifier(Inspector()).verify(directory, passphrase: passphrase)
            #expect(findings.faults.isEmpty, "\(findings)")
            #expect(findings.runs == 3 && findings.logs == 2 && findings.artifacts == 1 && findings.secrets == 1)
            let sums = try runSum(directory)
            #expect(sums == 0, "sha256sum itself can check it")
            let target = bench.path + "-new"
            let (manifest, keys) = try BackupRestorer.restore(directory, to: target, passphrase: passphrase)
            #expect(keys.contains("secrets.key"))
            let restored = try Database.open(directory: target, logger: Logger(label: "test"))
            defer { try? restored.close() }
            let before = try await restored.load()
            let pending = try await restored.openGeneration(backupAt: manifest.createdAt)
            #expect(pending.generation == before.generation + 1)
            let after = try await restored.load()
            #expect(after.counters.attempt > before.counters.attempt + 1_000_000)
            #expect(after.counters.run > before.counters.run && after.counters.event > before.counters.event)
            #expect(after.forgottenAttempts == [before.counters.attempt..<after.counters.attempt])
            #expect(try await restored.unfinishedRuns() == [live])
            #expect(try await restored.pendingRestore() == pending)
            try await restored.settleRestores()
            #expect(try await restored.pendingRestore() == nil)
            let opened = try await SecretVault.open(
                directory: target, repository: restored, clock: { 1 }, logger: Logger(label: "test"))
            #expect(
                try await opened.values(of: ["TOKEN"], project: .main, environment: nil) == ["TOKEN": "hunter2"])
        }
    }

    private func runSum(_ directory: String) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/sha256sum")
        process.arguments = ["--check", "--strict", "--quiet", "SHA256SUMS"]
        process.currentDirectoryURL = URL(fileURLWithPath: directory)
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }

    @Test func damageIsFound() async throws {
        try await with { bench in
            let run = try await bench.add(
                age: 3, log: String(repeating: "a line of this log\n", count: 300), content: "artifact")
            let made = try await bench.writer().write(into: bench.backups, passphrase: passphrase)
            let directory = "\(bench.backups)/\(made.name)"
            let files = BackupFiles.tree(directory)
            let log = try #require(files.first { $0.hasPrefix("logs/") })
            #expect(log.contains("\(run)."))
            for name in files {
                let path = "\(directory)/\(name)"
                let whole = try BackupFiles.read(path, max: 1 << 30)
                // Another inode: what is linked into the backup stays as it is.
                var bent = whole
                bent[bent.count / 2] ^= 0x10
                unlink(path)
                // The manifest names the hash of the hashes; what else it says is for people.
                if name != BackupManifest.file {
                    try BackupFiles.write(bent, to: path)
                    let findings = try? BackupVerifier(Inspector()).verify(directory, passphrase: passphrase)
                    #expect(findings?.faults.isEmpty != true, "\(name) was changed")
                    unlink(path)
                }
                let without = try? BackupVerifier(Inspector()).verify(directory, passphrase: passphrase)
                #expect(without?.faults.isEmpty != true, "\(name) was removed")
                try BackupFiles.write(whole, to: path)
            }
            #expect(throws: BackupRefusal.self) {
                try BackupVerifier(Inspector()).verify(directory, passphrase: "another passphrase")
            }
            let target = bench.path + "-new"
            #expect(throws: BackupRefusal.self) {
                try BackupRestorer.restore(directory, to: target, passphrase: "another passphrase")
            }
            #expect(!BackupFiles.exists(target), "nothing is left of a restore that failed")
            #expect(throws: BackupRefusal.self) {
                try BackupRestorer.restore(directory, to: bench.path, passphrase: passphrase)
            }
            // Changed in the log alone, its hash made to fit: the records' own checksums say so.
            try #require(log.hasSuffix(".log") || log.hasSuffix(".zst"))
        }
    }

    @Test func theKeysAreSealedOrLeftOut() async throws {
        try await with { bench in
            let vault = try await bench.vault()
            _ = try await vault.set(
                "TOKEN", value: "hunter2-hunter2", project: .main, environment: "", mode: .create, by: "admin")
            let key = try BackupFiles.read(bench.path + "/secrets.key", max: 100)
            for secret in [passphrase, nil] {
                let made = try await bench.writer().write(into: bench.backups, passphrase: secret)
                for name in BackupFiles.tree("\(bench.backups)/\(made.name)") {
                    let bytes = Data(try BackupFiles.read("\(bench.backups)/\(made.name)/\(name)", max: 1 << 30))
                    #expect(bytes.range(of: Data(key)) == nil, "\(name) holds the key")
                    #expect(bytes.range(of: Data("hunter2-hunter2".utf8)) == nil, "\(name) holds the value")
                }
            }
        }
    }

    @Test func laterBackupsTakeOverWhatIsThere() async throws {
        try await with { bench in
            _ = try await bench.add(age: 3, log: String(repeating: "x", count: 50_000) + "\n", content: "artifact")
            let backups = Backups(
                .init(directory: bench.backups, everyMs: 1, keep: 2), writer: bench.writer(),
                retention: bench.retention(RetentionPolicy()), now: { Bench.now }, logger: Logger(label: "test"))
            #expect(await backups.isDue())
            let first = try await backups.makeBackup()
            let second = try await backups.makeBackup()
            let log = try #require(
                BackupFiles.tree("\(bench.backups)/\(second.name)").first { $0.hasPrefix("logs/") })
            var (one, two) = (stat(), stat())
            #expect(stat("\(bench.backups)/\(first.name)/\(log)", &one) == 0)
            #expect(stat("\(bench.backups)/\(second.name)/\(log)", &two) == 0)
            #expect(one.st_ino == two.st_ino, "what does not change is stored once")
            let third = try await backups.makeBackup()
            #expect(try await backups.backups().map(\.name) == [third.name, second.name])
            #expect(
                try BackupVerifier(Inspector()).verify("\(bench.backups)/\(second.name)", passphrase: nil).faults == [])
            #expect(!BackupFiles.exists("\(bench.backups)/\(first.name)"))
            #expect(await backups.metrics().contains("ansflow_backups_made_total 3\n"))
        }
    }

    @Test func aBackupDuringWritesIsOfOneMoment() async throws {
        try await with { bench in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for _ in 0..<60 { _ = try await bench.add(age: 1, log: "line\n", content: "same") }
                }
                group.addTask {
                    for _ in 0..<4 {
                        let made = try await bench.writer().write(into: bench.backups, passphrase: nil)
                        let findings = try BackupVerifier(Inspector()).verify(
                            "\(bench.backups)/\(made.name)", passphrase: nil)
                        #expect(findings.faults.isEmpty, "\(findings.faults)")
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func theControlSocketAnswers() async throws {
        struct Echo: ControlHandling {
            func handle(_ request: ControlRequest) async throws -> ControlAnswer {
                guard request == .retention(dryRun: true) else { throw BackupRefusal("Not that.") }
                return ControlAnswer(["well"])
            }
        }
        try await with { bench in
            #expect(try ControlClient.ask(.ping, dataDirectory: bench.path) == nil, "nobody listens")
            let socket = try await ControlSocket.bind(
                dataDirectory: bench.path, handler: Echo(), logger: Logger(label: "test"))
            var status = stat()
            #expect(stat(bench.path + "/control.sock", &status) == 0 && status.st_mode & 0o077 == 0)
            let serving = Task { try await socket.run() }
            let path = bench.path
            let good = try await Task.detached {
                try ControlClient.ask(.retention(dryRun: true), dataDirectory: path)
            }.value
            #expect(good == ControlAnswer(["well"]))
            let bad = try await Task.detached { try ControlClient.ask(.users, dataDirectory: path) }.value
            #expect(bad == ControlAnswer(ok: false, ["Not that."]))
            serving.cancel()
            _ = try? await serving.value
        }
    }
}

/// Row 18 of the security list: another key for all secrets, while they are used.
@Suite struct RotationTests {
    @Test func underLoad() async throws {
        let bench = try await Bench()
        let vault = try await bench.vault()
        for index in 0..<250 {
            _ = try await vault.set(
                "S\(index)", value: "value \(index)", project: .main, environment: "", mode: .create, by: "a")
        }
        let before = try await bench.database.secretsByKey()
        let done = Flag()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<3 {
                group.addTask {
                    var rounds = 0
                    while !done.isSet || rounds < 20 {
                        let index = (worker * 83 + rounds * 7) % 200
                        let values = try await vault.values(of: ["S\(index)"], project: .main, environment: nil)
                        #expect(values == ["S\(index)": "value \(index)"])
                        _ = try await vault.set(
                            "S\(200 + (rounds + worker) % 50)", value: "new", project: .main, environment: "",
                            mode: .createOrReplace, by: "a")
                        rounds += 1
                    }
                }
            }
            group.addTask {
                for _ in 0..<2 {
                    let rotation = try await vault.rotateKey()
                    #expect(rotation.unreadable == 0)
                }
                done.set()
            }
            try await group.waitForAll()
        }
        let after = try await bench.database.secretsByKey()
        #expect(after.count == 1 && after.keys != before.keys)
        let again = try await bench.vault()
        #expect(try await again.values(of: ["S7"], project: .main, environment: nil) == ["S7": "value 7"])
        #expect(!FileManager.default.fileExists(atPath: bench.path + "/secrets.key.next"))
        await bench.end()
    }

    @Test func aCutRotationGoesOn() async throws {
        let bench = try await Bench()
        let vault = try await bench.vault()
        for name in ["A", "B"] {
            _ = try await vault.set(name, value: name, project: .main, environment: "", mode: .create, by: "a")
        }
        let old = try Data(contentsOf: URL(fileURLWithPath: bench.path + "/secrets.key"))
        _ = try await vault.rotateKey()
        _ = try await vault.set("A", value: "A2", project: .main, environment: "", mode: .replace, by: "a")
        // As a crash leaves it: the new key is not in its place yet. B was sealed with the new one, too.
        let new = try Data(contentsOf: URL(fileURLWithPath: bench.path + "/secrets.key"))
        try new.write(to: URL(fileURLWithPath: bench.path + "/secrets.key.next"))
        try old.write(to: URL(fileURLWithPath: bench.path + "/secrets.key"))
        for name in ["secrets.key", "secrets.key.next"] { chmod(bench.path + "/" + name, 0o600) }
        let reopened = try await bench.vault()
        let values = try await reopened.values(of: ["A", "B"], project: .main, environment: nil)
        #expect(values == ["A": "A2", "B": "B"])
        #expect(try await reopened.finishRotation())
        #expect(try Data(contentsOf: URL(fileURLWithPath: bench.path + "/secrets.key")) == new)
        #expect(try await !reopened.finishRotation())
        await bench.end()
    }
}

final class Flag: @unchecked Sendable {
    private let lock = NSLock()
    private var value = false
    var isSet: Bool { lock.withLock { value } }
    func set() { lock.withLock { value = true } }
}
