import AnsFlowProtocol
import ControllerCore
import Testing

@testable import ControllerStore

@Suite struct SecretsTests {
    private func row(_ name: String, _ environment: String = "", project: Int64 = 1, at: Int64 = 5) -> SecretRow {
        SecretRow(
            id: 0, project: ProjectID(project), environment: environment, name: name, version: 0, updatedBy: "admin",
            createdAt: at, updatedAt: at)
    }

    /// What is sealed says which row it was sealed for.
    private static let seal: @Sendable (SecretRow) throws -> (keyID: String, sealed: [UInt8]) = { row in
        ("k1", Array("\(row.id)/\(row.version)".utf8))
    }

    @Test func aSecretIsSealedForItsOwnRow() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let database = try scratch.open()
        let first = try await database.putSecret(row("A"), mode: .create, seal: Self.seal)
        #expect(first.sealed == Array("\(first.id)/1".utf8))
        let second = try await database.putSecret(row("A", at: 9), mode: .replace, seal: Self.seal)
        #expect(second.id == first.id && second.version == 2 && second.createdAt == 5 && second.updatedAt == 9)
        let stored = try await database.sealedSecrets(of: .main, environment: "", names: ["A"])
        #expect(stored == [second])
        #expect(try await database.secrets(of: .main, environment: nil).map(\.sealed) == [[]])
        #expect(try await database.secretsByKey() == ["k1": 1])
    }

    @Test func placesAreApart() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let database = try scratch.open()
        for environment in ["", "live", "test"] {
            _ = try await database.putSecret(row("A", environment), mode: .create, seal: Self.seal)
        }
        #expect(try await database.secrets(of: .main, environment: "").count == 1)
        #expect(try await database.secrets(of: .main, environment: nil).map(\.environment) == ["", "live", "test"])
        let found = try await database.sealedSecrets(of: .main, environment: "live", names: ["A", "B"])
        #expect(Set(found.map(\.environment)) == ["", "live"])
        #expect(try await database.deleteSecret("A", of: .main, environment: "live", expected: nil))
        #expect(try await database.deleteSecret("A", of: .main, environment: "live", expected: nil) == false)
        #expect(try await database.secrets(of: .main, environment: nil).count == 2)
    }

    @Test func whatCantBeWrittenLeavesNothing() async throws {
        let scratch = Scratch()
        defer { scratch.remove() }
        let database = try scratch.open()
        _ = try await database.putSecret(row("A"), mode: .create, seal: Self.seal)
        await #expect(throws: SecretChange.exists) {
            try await database.putSecret(row("A"), mode: .create, seal: Self.seal)
        }
        await #expect(throws: SecretChange.notFound) {
            try await database.putSecret(row("B"), mode: .replace, seal: Self.seal)
        }
        await #expect(throws: SecretChange.noProject) {
            try await database.putSecret(row("B", project: 77), mode: .create, seal: Self.seal)
        }
        await #expect(throws: Broken.self) {
            try await database.putSecret(row("B"), mode: .create) { _ in throw Broken() }
        }
        #expect(try await database.secrets(of: .main, environment: nil).map(\.name) == ["A"])
    }

    private struct Broken: Error {}
}
