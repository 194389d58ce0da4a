import ControllerCore
import Crypto

/// AES-256-GCM over one secret's value. Where the value stands is authenticated with it, so that a row whose sealed bytes were
/// swapped with another's, or that was renamed, does not open.
struct SecretSeal: Sendable {
    let ring: KeyRing

    init(_ ring: KeyRing) { self.ring = ring }
    init(key: SecretKey) { ring = KeyRing(key) }

    /// Seals new values.
    var key: SecretKey { ring.sealing }

    /// - Throws: What the cipher throws; it does not for values of any length that is allowed.
    func seal(_ value: String, at row: SecretRow) throws -> [UInt8] { try sealed(value, at: row).sealed }

    /// The sealed value with the key that sealed it, which may change between two calls.
    func sealed(_ value: String, at row: SecretRow) throws -> (keyID: String, sealed: [UInt8]) {
        let key = ring.sealing
        let box = try AES.GCM.seal(Array(value.utf8), using: key.key, authenticating: Self.place(of: row))
        // A nonce of the standard length always has the combined form.
        return (key.id, box.combined.map { Array($0) } ?? [])
    }

    /// `nil` where the bytes are not what this key sealed for this row.
    func open(_ row: SecretRow) -> String? {
        guard let key = ring.key(row.keyID), let box = try? AES.GCM.SealedBox(combined: row.sealed),
            let bytes = try? AES.GCM.open(box, using: key.key, authenticating: Self.place(of: row))
        else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Every part with its length in front: no two places give the same bytes.
    private static func place(of row: SecretRow) -> [UInt8] {
        var bytes: [UInt8] = []
        for text in [
            "ansflow/secrets/1", String(row.id), String(row.project.rawValue), row.environment, row.name,
            String(row.version),
        ] {
            withUnsafeBytes(of: UInt32(text.utf8.count).littleEndian) { bytes.append(contentsOf: $0) }
            bytes.append(contentsOf: text.utf8)
        }
        return bytes
    }
}
