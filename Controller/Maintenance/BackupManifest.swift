import ControllerCore
import FoundationEssentials

/// What a backup says of itself; written last, so that a directory without one is no backup.
package struct BackupManifest: Codable, Equatable, Sendable {
    static let format = 1
    static let file = "manifest.json"
    /// Hashes of all other files, in the form of `sha256sum`.
    static let sums = "SHA256SUMS"
    static let database = "ansflow.db"
    static let logs = "logs"
    static let artifacts = "artifacts"
    static let keys = "keys.sealed"

    var format: Int
    package var version: String
    /// In ms since 1970.
    package var createdAt: Int64
    package var instance: String
    package var generation: Int64
    package var schema: Int
    package var hasKeys: Bool
    package var files: Int
    package var bytes: UInt64
    var sumsSHA256: String

    enum CodingKeys: String, CodingKey {
        case format, version, instance, generation, schema, files, bytes
        case createdAt = "created_at_ms"
        case hasKeys = "has_keys"
        case sumsSHA256 = "sums_sha256"
    }

    static func read(_ directory: String) throws -> BackupManifest {
        let path = "\(directory)/\(file)"
        guard BackupFiles.exists(path) else {
            throw BackupRefusal(
                "\(directory) holds no whole backup: \(file) is missing. Name the backup's own directory.")
        }
        let bytes = try BackupFiles.read(path, max: 65_536)
        guard let manifest = try? JSONDecoder().decode(BackupManifest.self, from: Data(bytes)) else {
            throw BackupRefusal("\(path) is damaged. Use another backup.")
        }
        guard manifest.format == format else {
            throw BackupRefusal(
                "\(directory) has the format \(manifest.format); this AnsFlow knows \(format). Use the one that made it."
            )
        }
        return manifest
    }

    func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return Array(try encoder.encode(self)) + [0x0A]
    }

    func summary(_ name: String) -> BackupSummary {
        BackupSummary(name: name, createdAt: createdAt, files: files, bytes: bytes, hasKeys: hasKeys)
    }
}

/// Hashes of a backup's files by name.
struct BackupSums: Equatable {
    var hashes: [String: String] = [:]

    /// As `sha256sum` writes and checks it.
    var text: String {
        hashes.sorted { $0.key < $1.key }.map { "\($0.value)  \($0.key)\n" }.joined()
    }

    init() {}

    /// - Throws: ``BackupRefusal`` where a line is not of that form, or names what lies outside.
    init(_ directory: String, _ manifest: BackupManifest) throws {
        let path = "\(directory)/\(BackupManifest.sums)"
        guard try BackupFiles.digest(path).sha256 == manifest.sumsSHA256 else {
            throw BackupRefusal("\(path) is not what was written. Use another backup.")
        }
        let text = String(decoding: try BackupFiles.read(path, max: 1 << 31), as: UTF8.self)
        for line in text.split(separator: "\n") {
            let (hash, name) = (line.prefix(64), line.dropFirst(66))
            let parts = name.split(separator: "/", omittingEmptySubsequences: false)
            guard hash.count == 64, line.dropFirst(64).hasPrefix("  "),
                parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." })
            else { throw BackupRefusal("\(path) has a line that is none: \(line.prefix(100)). Use another backup.") }
            hashes[String(name)] = String(hash)
        }
    }
}
