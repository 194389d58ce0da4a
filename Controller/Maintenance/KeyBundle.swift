import ControllerCore
import Crypto
import CryptoExtras
import FoundationEssentials

/// The key files of a data directory, sealed under a passphrase: scrypt (RFC 7914) gives the key, AES-256-GCM seals.
struct KeyBundle: Codable, Equatable {
    /// Keys that a restored controller needs to be the same to its agents and to open its secrets. Not the one that signs logins: those
    /// end with a restore.
    static let names = ["ca.key", "ca.crt", "secrets.key"]

    private struct Envelope: Codable {
        var format: Int
        var rounds: Int
        var blockSize: Int
        var parallelism: Int
        var salt: Data
        var box: Data
    }

    /// Contents by name.
    var files: [String: Data]

    private static let place = Data("ansflow/backup-keys/1".utf8)

    init(files: [String: Data]) { self.files = files }

    /// Those that are there; more than one key of secrets while a rotation goes on.
    init(dataDirectory: String) throws {
        files = [:]
        for name in BackupFiles.names(in: dataDirectory)
        where Self.names.contains(name) || name.hasPrefix("secrets.key.") {
            files[name] = Data(try BackupFiles.read("\(dataDirectory)/\(name)", max: 1 << 20))
        }
    }

    private static func key(
        _ passphrase: String, _ salt: Data, rounds: Int, blockSize: Int, parallelism: Int
    ) throws -> SymmetricKey {
        try KDF.Scrypt.deriveKey(
            from: Data(passphrase.utf8), salt: salt, outputByteCount: 32, rounds: rounds, blockSize: blockSize,
            parallelism: parallelism)
    }

    /// - Parameter rounds: N of scrypt; less is for tests.
    func sealed(_ passphrase: String, rounds: Int = 1 << 15) throws -> [UInt8] {
        let salt = Data((0..<16).map { _ in UInt8.random(in: .min ... .max) })
        let key = try Self.key(passphrase, salt, rounds: rounds, blockSize: 8, parallelism: 3)
        let box = try AES.GCM.seal(try JSONEncoder().encode(self), using: key, authenticating: Self.place)
        let envelope = Envelope(
            format: 1, rounds: rounds, blockSize: 8, parallelism: 3, salt: salt, box: box.combined ?? Data())
        return Array(try JSONEncoder().encode(envelope))
    }

    /// - Throws: ``BackupRefusal`` where the passphrase is another one, or the bytes are damaged.
    init(sealed bytes: [UInt8], _ passphrase: String) throws {
        guard let envelope = try? JSONDecoder().decode(Envelope.self, from: Data(bytes)), envelope.format == 1,
            (2...(1 << 20)).contains(envelope.rounds), envelope.rounds & (envelope.rounds - 1) == 0,
            (1...32).contains(envelope.blockSize), (1...16).contains(envelope.parallelism),
            128 * envelope.rounds * envelope.blockSize <= 256 << 20,
            let box = try? AES.GCM.SealedBox(combined: envelope.box)
        else { throw BackupRefusal("The sealed keys of the backup are damaged. Use another backup.") }
        let key = try Self.key(
            passphrase, envelope.salt, rounds: envelope.rounds, blockSize: envelope.blockSize,
            parallelism: envelope.parallelism)
        guard let open = try? AES.GCM.open(box, using: key, authenticating: Self.place),
            let bundle = try? JSONDecoder().decode(KeyBundle.self, from: open),
            bundle.files.keys.allSatisfy({
                Self.names.contains($0) || $0.hasPrefix("secrets.key.") && !$0.contains("/")
            })
        else {
            throw BackupRefusal("The passphrase does not open the backup's keys. Give the one that it was made with.")
        }
        self = bundle
    }
}
