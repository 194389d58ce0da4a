import AnsFlowProtocol

/// Limits of secrets. Sizes are in bytes of UTF-8.
package enum SecretLimits {
    package static let nameBytesMax = 64
    package static let valueBytesMax = ProtocolLimits.secretBytesMax
    package static let environmentBytesMax = 128
    /// Of one project, its environments' included.
    package static let perProjectMax = 1_000

    /// Whether `name` is a letter or underscore, then letters, digits and underscores.
    package static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, name.utf8.count <= nameBytesMax, !(48...57).contains(first) else {
            return false
        }
        return name.utf8.allSatisfy {
            (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 95
        }
    }

    /// Whether `name` can be an environment's: no control characters, no slash, not blank at an end.
    package static func isEnvironment(_ name: String) -> Bool {
        guard let first = name.utf8.first, let last = name.utf8.last, name.utf8.count <= environmentBytesMax else {
            return false
        }
        return first > 32 && last > 32 && name.utf8.allSatisfy { $0 >= 32 && $0 != 127 && $0 != UInt8(ascii: "/") }
    }
}

/// A secret as it is stored: sealed, never readable from the row alone.
package struct SecretRow: Equatable, Sendable {
    package var id: Int64
    package var project: ProjectID
    /// Empty for the project's own.
    package var environment: String
    package var name: String
    /// Counts values from 1.
    package var version: Int
    /// Which key sealed it.
    package var keyID: String
    /// Nonce, ciphertext and tag.
    package var sealed: [UInt8]
    /// For people.
    package var updatedBy: String
    package var createdAt: Int64
    package var updatedAt: Int64

    package init(
        id: Int64, project: ProjectID, environment: String, name: String, version: Int, keyID: String = "",
        sealed: [UInt8] = [], updatedBy: String, createdAt: Int64, updatedAt: Int64
    ) {
        self.id = id
        self.project = project
        self.environment = environment
        self.name = name
        self.version = version
        self.keyID = keyID
        self.sealed = sealed
        self.updatedBy = updatedBy
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

/// Why a secret was not written.
package enum SecretChange: Error, Equatable, Sendable {
    case noProject
    case tooMany
    /// It was to be made and is there already.
    case exists
    /// It was to be replaced and is not there.
    case notFound
    /// Another version was to be replaced or deleted; zero where there is none.
    case stale(current: Int)
}

/// How ``SecretRepository/putSecret(_:mode:seal:)`` treats a secret that is there, or is not.
package enum SecretPut: Sendable {
    case create, replace, createOrReplace
    /// Only where it has this version.
    case replaceVersion(Int)
}

/// What is sealed with the key of secrets.
package enum SealedKind: Sendable, CaseIterable {
    /// Of projects and environments.
    case secrets
    /// Of webhooks: as a row, each has the place under which it was sealed.
    case hooks
}

/// Sealed secrets. Each method is one transaction.
package protocol SecretRepository: Sendable {
    /// By name, without what is sealed.
    ///
    /// - Parameter environment: Empty for the project's own; `nil` for all of the project.
    func secrets(of project: ProjectID, environment: String?) async throws -> [SecretRow]
    /// Those of `names` that the project has itself or for the environment; both where both have one.
    func sealedSecrets(
        of project: ProjectID, environment: String, names: Set<String>
    ) async throws -> [SecretRow]
    /// Writes a value. Id, version and creation time of `row` are ignored; the stored row comes back.
    ///
    /// - Parameter seal: Called inside the transaction with the row whose id and version are known; gives key id and sealed bytes.
    /// - Throws: ``SecretChange``.
    func putSecret(
        _ row: SecretRow, mode: SecretPut,
        seal: @escaping @Sendable (SecretRow) throws -> (keyID: String, sealed: [UInt8])
    ) async throws -> SecretRow
    /// False where there is no such secret.
    ///
    /// - Parameter expected: the version that it must have; nil for any.
    /// - Throws: ``SecretChange/stale(current:)``.
    func deleteSecret(
        _ name: String, of project: ProjectID, environment: String, expected: Int?
    ) async throws -> Bool
    /// How many secrets there are, by the key that sealed them.
    func secretsByKey() async throws -> [String: Int]
    /// Seals at most `limit` secrets anew that another key than `keyID` sealed, above the id `after`. Their versions stay.
    ///
    /// - Parameter seal: Called inside the transaction; `nil` for one that can't be opened, which stays as it is.
    /// - Returns: How many were looked at, and the last one's id.
    func resealSecrets(
        _ kind: SealedKind, notOf keyID: String, after: Int64, limit: Int,
        seal: @escaping @Sendable (SecretRow) throws -> (keyID: String, sealed: [UInt8])?
    ) async throws -> (count: Int, last: Int64)
}

/// Why values can't be had. Each text is a sentence that names the cure.
package struct SecretFailure: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: Equatable, Sendable {
        /// Not set, too large or unreadable: somebody must change something.
        case configuration
        /// The store can't be read now.
        case unavailable
    }

    package var kind: Kind
    package var description: String

    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}

/// Gives secrets' values to what needs them: steps' starts, git credentials.
package protocol SecretReading: Sendable {
    /// Values by secret name. A secret of the environment goes before one of the project.
    ///
    /// - Parameter environment: Of the job; `nil` or empty where it has none.
    /// - Throws: ``SecretFailure`` where one is not set or can't be opened.
    func values(
        of names: Set<String>, project: ProjectID, environment: String?
    ) async throws(SecretFailure) -> [String: String]
}

/// What people do with secrets. Values go in and never come out.
package protocol SecretManaging: Sendable {
    func list(project: ProjectID, environment: String?) async throws -> [SecretRow]
    /// - Throws: ``SecretChange``, ``SecretFailure``.
    func set(
        _ name: String, value: String, project: ProjectID, environment: String, mode: SecretPut, by actor: String
    ) async throws -> SecretRow
    /// False where there is no such secret.
    func delete(_ name: String, project: ProjectID, environment: String, expected: Int?) async throws -> Bool
}
