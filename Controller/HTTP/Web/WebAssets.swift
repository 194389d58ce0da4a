import CWebAssets
import ControllerCore
import NIOCore

/// The web page's files, as packaging/web-build packs them. Made once; all answers share the bytes.
struct WebAssets: Sendable {
    struct File: Sendable {
        var type: String
        var hash: String
        /// By encoding; `identity` is always there.
        var variants: [String: ByteBuffer]
    }

    var files: [String: File] = [:]
    /// Names of files by what they are for: `main`, `preload` (several, with spaces between), `app`, `editor`.
    var roles: [String: String] = [:]

    var isThere: Bool { roles["main"] != nil }

    /// Those that the program was built with; empty where it was built without.
    static let builtIn: WebAssets = {
        var length = 0
        guard let start = ansflow_web_assets(&length), length > 4 else { return WebAssets() }
        return WebAssets(pack: ByteBuffer(bytes: UnsafeBufferPointer(start: start, count: length))) ?? WebAssets()
    }()

    init() {}

    /// Four bytes with the length of a JSON table, the table, and the contents that it tells of.
    ///
    /// - Returns: nil where it is not of that form.
    init?(pack: ByteBuffer) {
        var reader = pack
        guard let length = reader.readInteger(as: UInt32.self), let head = reader.readBytes(length: Int(length)),
            case .object(let table)? = try? JSONParser.parse(head), case .object(let roles)? = table["roles"],
            case .array(let entries)? = table["files"]
        else { return nil }
        for (role, value) in roles {
            guard case .string(let name) = value else { return nil }
            self.roles[role] = name
        }
        let contents = reader.slice()
        for entry in entries {
            guard case .object(let members) = entry, case .string(let name)? = members["name"],
                case .string(let type)? = members["type"], case .string(let hash)? = members["hash"],
                case .object(let places)? = members["variants"]
            else { return nil }
            var variants: [String: ByteBuffer] = [:]
            for (encoding, place) in places {
                guard case .array(let numbers) = place, numbers.count == 2, case .number(let offset) = numbers[0],
                    case .number(let size) = numbers[1],
                    let bytes = contents.getSlice(at: contents.readerIndex + Int(offset), length: Int(size))
                else { return nil }
                variants[encoding] = bytes
            }
            guard variants["identity"] != nil else { return nil }
            files[name] = File(type: type, hash: hash, variants: variants)
        }
    }
}
