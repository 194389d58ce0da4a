import ControllerCore
import FoundationEssentials

/// What a command asks of the process that holds a data directory. One JSON line each way.
package enum ControlRequest: Codable, Equatable, Sendable {
    case ping
    case backup(directory: String, passphrase: String?)
    case retention(dryRun: Bool)
    case users
    case createUser(name: String, administrator: Bool, password: String?)
    case resetPassword(name: String, password: String?)
    case rotateKey
}

/// What it answers.
package struct ControlAnswer: Codable, Equatable, Sendable {
    package var ok: Bool
    /// Lines for people; what went wrong where it is not ok.
    package var lines: [String]

    package init(ok: Bool = true, _ lines: [String]) {
        self.ok = ok
        self.lines = lines
    }
}

/// Does what a request asks. Holds the data directory, or is the process that does.
package protocol ControlHandling: Sendable {
    func handle(_ request: ControlRequest) async throws -> ControlAnswer
}

package enum ControlCoding {
    /// Of one line.
    package static let bytesMax = 64 * 1024

    package static func encode(_ value: some Encodable) throws -> [UInt8] {
        Array(try JSONEncoder().encode(value)) + [0x0A]
    }

    package static func decode<Value: Decodable>(_ type: Value.Type, _ bytes: [UInt8]) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw BackupRefusal("The other side speaks another version of AnsFlow. Use the programs of one version.")
        }
    }
}
