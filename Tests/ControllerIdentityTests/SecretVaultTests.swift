import AnsFlowProtocol
import ControllerCore
import Foundation
import Logging
import Synchronization
import Testing

@testable import ControllerIdentity

/// Sealed rows in memory, which a test may change behind the vault's back.
private final class MemorySecrets: SecretRepository {
    let rows = Mutex<[SecretRow]>([])

    func secrets(of project: ProjectID, environment: String?) async throws -> [SecretRow] {
        rows.withLock { $0.filter { $0.project == project && (environment == nil || $0.environment == environment) } }
    }
    func sealedSecrets(of project: ProjectID, environment: String, names: Set<String>) async throws -> [SecretRow] {
        rows.withLock { rows in
            rows.filter {
                $0.project == project && names.contains($0.name) && ["", environment].contains($0.environment)
            }
        }
    }
    func putSecret(
        _ row: SecretRow, mode: SecretPut,
        seal: @escaping @Sendable (SecretRow) throws -> (keyID: String, sealed: [UInt8])
    ) async throws -> SecretRow {
        try rows.withLock { rows in
            var stored = row
            let old = rows.firstIndex {
                ($0.project, $0.environment, $0.name) == (row.project, row.environment, row.name)
            }
            stored.id = old.map { rows[$0].id } ?? Int64(rows.count + 1)
            stored.version = old.map { rows[$0].version + 1 } ?? 1
            (stored.keyID, stored.sealed) = try seal(stored)
            if let old { rows[old] = stored } else { rows.append(stored) }
            return stored
        }
    }
    func deleteSecret(
        _ name: String, of project: ProjectID, environment: String, expected: Int?
    ) async throws -> Bool {
        rows.withLock { rows in
            let before = rows.count
            rows.removeAll { ($0.project, $0.environment, $0.name) == (project, environment, name) }
            return rows.count < before
        }
    }
    func secretsByKey() async throws -> [String: Int] {
        rows.withLock { Dictionary($0.map { ($0.keyID, 1) }, uniquingKeysWith: +) }
    }
    func resealSecrets(
        _ kind: SealedKind, notOf keyID: String, after: Int64, limit: Int,
        seal: @escaping @Sendable (SecretRow) throws -> (keyID: String, sealed: [UInt8])?
    ) async throws -> (count: Int, last: Int64) {
        guard kind == .secrets else { return (0, after) }
        return try rows.withLock { rows in
            let due = rows.indices.filter { rows[$0].id > after && rows[$0].keyID != keyID }.prefix(limit)
            for index in due {
                guard let fresh = try seal(rows[index]) else { continue }
                (rows[index].keyID, rows[index].sealed) = fresh
            }
            return (due.count, due.last.map { rows[$0].id } ?? after)
        }
    }
}

@Suite struct SecretVaultTests {
    private let repository = MemorySecrets()
    private let key = SecretKey(Array(0..<32))
    private var vault: SecretVault { SecretVault(repository, key: key, clock: { 7 }) }

    @discardableResult
    private func set(_ name: String, _ value: String, environment: String = "", project: Int64 = 1) async throws
        -> SecretRow
    {
        try await vault.set(
            name, value: value, project: ProjectID(project), environment: environment, mode: .createOrReplace,
            by: "admin")
    }

    @Test func whatIsSetIsRead() async throws {
        try await set("A", "one")
        try await set("A", "two")
        try await set("B", String(repeating: "ä", count: 32_768))
        let values = try await vault.values(of: ["A", "B"], project: .main, environment: nil)
        #expect(values["A"] == "two")
        #expect(values["B"]?.utf8.count == 65_536)
        #expect(try await vault.values(of: [], project: .main, environment: nil).isEmpty)
    }

    @Test func theEnvironmentsValueGoesFirst() async throws {
        try await set("A", "project's")
        try await set("A", "production's", environment: "production")
        try await set("A", "test's", environment: "test")
        #expect(try await vault.values(of: ["A"], project: .main, environment: "production") == ["A": "production's"])
        #expect(try await vault.values(of: ["A"], project: .main, environment: "other") == ["A": "project's"])
        #expect(try await vault.values(of: ["A"], project: .main, environment: nil) == ["A": "project's"])
    }

    @Test func whatIsNotSetIsNamedWithItsCure() async throws {
        try await set("A", "one", project: 2)
        let failure = await #expect(throws: SecretFailure.self) {
            try await vault.values(of: ["A", "B"], project: .main, environment: "live")
        }
        #expect(failure?.kind == .configuration)
        #expect(
            failure?.description
                == "The secrets \"A\", \"B\" are not set in this project or its environment \"live\". Set with: "
                + "ansflow secret set A")
    }

    @Test func sealedBytesHoldNothingReadable() async throws {
        let value = "correct horse battery staple"
        let first = try await set("A", value)
        let second = try await set("A", value)
        #expect(first.sealed != second.sealed)
        #expect(!String(decoding: first.sealed, as: UTF8.self).contains("horse"))
        #expect(first.sealed.count == value.utf8.count + 28)
    }

    /// Each way in which a row can be another than the one that was sealed.
    @Test(arguments: ["swap", "rename", "environment", "project", "version", "id", "flip", "cut", "key"])
    func aChangedRowDoesNotOpen(_ change: String) async throws {
        try await set("A", "value of A")
        try await set("B", "value of B")
        repository.rows.withLock { rows in
            switch change {
            case "swap": rows[0].sealed = rows[1].sealed
            case "rename":
                rows[0].name = "X"
                rows[1].name = "A"
            case "environment": rows[0].environment = "live"
            case "project": rows[0].project = ProjectID(2)
            case "version": rows[0].version = 9
            case "id": rows[0].id = 9
            case "flip": rows[0].sealed[14] ^= 1
            case "cut": rows[0].sealed.removeLast()
            default: rows[0].keyID = "another"
            }
        }
        let failure = await #expect(throws: SecretFailure.self) {
            try await vault.values(of: ["A"], project: ProjectID(change == "project" ? 2 : 1), environment: "live")
        }
        #expect(failure?.kind == .configuration)
        #expect(failure?.description.contains("ansflow secret set A") == true)
        #expect(failure?.description.contains("value of") == false)
    }

    @Test func theKeyIsMadeOnceAndIsTheOwnersAlone() throws {
        let directory = FileManager.default.temporaryDirectory.path + "/secret-key-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let (made, isNew) = try SecretKey.load(directory)
        let (loaded, isNewAgain) = try SecretKey.load(directory)
        #expect(isNew && !isNewAgain)
        #expect(made.id == loaded.id)
        let path = directory + "/secrets.key"
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
        #expect(throws: SecretKey.Failure.self) { try SecretKey.load(directory) }
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        try Data(repeating: 1, count: 31).write(to: URL(fileURLWithPath: path))
        #expect(throws: SecretKey.Failure.self) { try SecretKey.load(directory) }
    }

    @Test func namesAreChecked() {
        for name in ["A", "_", "a9_B", String(repeating: "x", count: 64)] { #expect(SecretLimits.isName(name)) }
        for name in ["", "9a", "a-b", "a b", "ä", "a=b", "a\n", String(repeating: "x", count: 65)] {
            #expect(!SecretLimits.isName(name))
        }
        for name in ["production", "a b", "EU/1"] { #expect(SecretLimits.isEnvironment(name) == !name.contains("/")) }
        for name in ["", " a", "a ", "a\u{7}"] { #expect(!SecretLimits.isEnvironment(name)) }
    }
}
