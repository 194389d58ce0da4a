package import ControllerCore
package import Logging

/// Projects' and environments' secrets: sealed when they are set, opened only for what needs them now. Nothing decrypted is kept.
///
/// All methods may be called from any task.
package struct SecretVault: Sendable {
    let repository: any SecretRepository
    let seal: SecretSeal
    private let clock: WallClock
    /// Where the keys are; nil for a vault of tests.
    let directory: String?

    package init(_ repository: any SecretRepository, key: SecretKey, clock: @escaping WallClock) {
        self.repository = repository
        seal = SecretSeal(key: key)
        self.clock = clock
        directory = nil
    }

    private init(_ repository: any SecretRepository, ring: KeyRing, directory: String, clock: @escaping WallClock) {
        self.repository = repository
        seal = SecretSeal(ring)
        self.clock = clock
        self.directory = directory
    }

    /// Loads or makes the key, and says in the log where secrets are there that it can't open.
    ///
    /// - Parameter directory: The data directory.
    package static func open(
        directory: String, repository: any SecretRepository, clock: @escaping WallClock, logger: Logger
    ) async throws -> SecretVault {
        let (key, isNew) = try SecretKey.load(directory)
        let ring = KeyRing(key)
        // A rotation that was cut off: both keys open, the next one seals.
        if let next = try SecretKey.loadNext(directory) { ring.add(next) }
        let others = try await repository.secretsByKey().filter { ring.key($0.key) == nil }.values.reduce(0, +)
        if others > 0 {
            let why = isNew ? "secrets.key was missing, and a new one was made" : "secrets.key is another one"
            logger.critical(
                "\(others) secrets can't be opened: \(why). Restore secrets.key from a backup, or set them again.")
        }
        return SecretVault(repository, ring: ring, directory: directory, clock: clock)
    }
}

extension SecretVault: SecretReading {
    package func values(
        of names: Set<String>, project: ProjectID, environment: String?
    ) async throws(SecretFailure) -> [String: String] {
        guard !names.isEmpty else { return [:] }
        let rows: [SecretRow]
        do {
            rows = try await repository.sealedSecrets(of: project, environment: environment ?? "", names: names)
        } catch {
            throw SecretFailure(.unavailable, "Secrets can't be read from the database at the moment.")
        }
        var chosen: [String: SecretRow] = [:]
        for row in rows where chosen[row.name] == nil || !row.environment.isEmpty { chosen[row.name] = row }
        let missing = names.filter { chosen[$0] == nil }.sorted()
        guard missing.isEmpty else { throw Self.missing(missing, environment: environment ?? "") }
        var values: [String: String] = [:]
        for (name, row) in chosen {
            guard let value = seal.open(row) else { throw unreadable(row) }
            values[name] = value
        }
        return values
    }

    private static func missing(_ names: [String], environment: String) -> SecretFailure {
        let list = names.prefix(10).map { "\"\($0)\"" }.joined(separator: ", ")
        let place = environment.isEmpty ? "this project" : "this project or its environment \"\(environment)\""
        let what = names.count == 1 ? "The secret \(list) is not set" : "The secrets \(list) are not set"
        return SecretFailure(
            .configuration, "\(what) in \(place). Set with: ansflow secret set \(names.first ?? "NAME")")
    }

    private func unreadable(_ row: SecretRow) -> SecretFailure {
        let cure = "Set it again with: ansflow secret set \(row.name)"
        if seal.ring.key(row.keyID) == nil {
            return SecretFailure(
                .configuration,
                "The secret \"\(row.name)\" was sealed with another key than secrets.key. Restore that file, or: \(cure)"
            )
        }
        return SecretFailure(
            .configuration, "The secret \"\(row.name)\" can't be opened: its stored bytes are damaged. \(cure)")
    }
}

extension SecretVault: SecretManaging {
    package func list(project: ProjectID, environment: String?) async throws -> [SecretRow] {
        try await repository.secrets(of: project, environment: environment)
    }

    package func set(
        _ name: String, value: String, project: ProjectID, environment: String, mode: SecretPut, by actor: String
    ) async throws -> SecretRow {
        let now = clock()
        let row = SecretRow(
            id: 0, project: project, environment: environment, name: name, version: 0, updatedBy: actor,
            createdAt: now, updatedAt: now)
        return try await repository.putSecret(row, mode: mode) { [seal] row in
            try seal.sealed(value, at: row)
        }
    }

    package func delete(
        _ name: String, project: ProjectID, environment: String, expected: Int?
    ) async throws -> Bool {
        try await repository.deleteSecret(name, of: project, environment: environment, expected: expected)
    }
}
